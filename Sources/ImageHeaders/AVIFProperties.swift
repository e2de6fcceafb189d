/// The properties of the items in the box `iprp` of an AVIF file (ISO/IEC 23008-12, section 9.3).
struct AVIFProperties {
    private struct Association {
        let index: Int
        let isEssential: Bool
    }

    /// The properties that decoders know. They refuse an item with any other property that is essential.
    private static let known: Set<ChunkName> = [
        "ispe", "auxC", "colr", "av1C", "pasp", "clap", "irot", "imir", "pixi", "a1op", "lsel", "a1lx", "clli", "mdcv",
        "amve", "cclv",
    ]
    private static let transforms: Set<ChunkName> = ["clap", "irot", "imir"]
    /// The names by which an auxiliary image says that it is the transparency of another one.
    private static let alphaNames = ["urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0", "urn:mpeg:hevc:2015:auxid:1\0"]

    private var properties: [MediaBox] = []
    private var associations: [Int: [Association]] = [:]

    init() {}

    /// Reads the box, and keeps the properties that decoders know. The others become free space, so that the numbers of
    /// the properties stay the same.
    ///
    /// - Throws: `malformed` if the box contains anything but the properties and their associations.
    init(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        layout.keepHeader(box)
        var content = box.content
        guard let container = try content.nextBox(&layout), container.type == "ipco" else { throw .malformed }
        layout.keepHeader(container)
        var list = container.content
        while let property = try list.nextBox(&layout) {
            properties.append(property)
            if Self.known.contains(property.type) { layout.keep(property.range) } else { layout.free(property) }
        }
        while let list = try content.nextBox(&layout) {
            guard list.type == "ipma" else { throw .malformed }
            try readAssociations(list, &layout)
        }
    }

    /// Returns the size that the file states for an item; `nil` if it states none.
    func size(of id: Int) throws(ImageFault) -> ImageHeader.Size? {
        guard let property = all(of: id).first(where: { $0.type == "ispe" }) else { return nil }
        var content = try property.versioned().rest
        let size = ImageHeader.Size(width: try content.bigEndian(4), height: try content.bigEndian(4))
        guard size.width > 0, size.height > 0 else { throw .noPixels }
        // The limit keeps the arithmetic of cropping within the range of integers.
        guard size.width <= Int(Int32.max), size.height <= Int(Int32.max) else { throw .malformed }
        return size
    }

    /// Returns the transforms of an item.
    ///
    /// - Throws: `malformed` if browsers do not show an item with these properties.
    func transforms(of id: Int, _ size: ImageHeader.Size) throws(ImageFault) -> AVIFTransforms {
        var transforms = AVIFTransforms(size)
        for association in associations[id] ?? [] {
            guard let property = property(association) else { continue }
            let isValid =
                association.isEssential
                ? Self.known.contains(property.type) : !Self.transforms.contains(property.type)
            guard isValid else { throw .malformed }
            try transforms.apply(property)
        }
        return transforms
    }

    /// Returns whether an auxiliary image is the transparency of another one.
    func isAlpha(_ id: Int) -> Bool {
        all(of: id).contains { property in
            guard property.type == "auxC", let name = try? property.versioned().rest else { return false }
            return Self.alphaNames.contains { name.begins(with: $0.utf8) }
        }
    }

    private func all(of id: Int) -> [MediaBox] { (associations[id] ?? []).compactMap(property) }

    private func property(_ association: Association) -> MediaBox? {
        guard association.index > 0, association.index <= properties.count else { return nil }
        return properties[association.index - 1]
    }

    private mutating func readAssociations(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        var (content, version, flags) = try box.versioned()
        let isLong = flags & 1 == 1
        let essential = isLong ? 0x8000 : 0x80
        for _ in 0..<(try content.bigEndian(4)) {
            try layout.count()
            let id = try content.bigEndian(version == 0 ? 2 : 4)
            guard associations[id] == nil else { throw .malformed }
            var list: [Association] = []
            for _ in 0..<(try content.byte()) {
                try layout.count()
                let value = try content.bigEndian(isLong ? 2 : 1)
                list.append(Association(index: value & ~essential, isEssential: value & essential != 0))
            }
            associations[id] = list
        }
        layout.keep(box.range.lowerBound..<content.position)
    }
}
