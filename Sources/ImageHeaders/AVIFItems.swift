/// The items in the box `meta` of an AVIF file (ISO/IEC 14496-12, section 8.11, and ISO/IEC 23008-12).
struct AVIFItems {
    /// The primary item as a browser shows it.
    struct Primary {
        /// The size after cropping, before rotation.
        let size: ImageHeader.Size
        let isRotated: Bool
        /// The number of pixels that a decoder processes.
        let decodedArea: Int
    }

    private struct Association {
        let index: Int
        let isEssential: Bool
    }

    /// The types of items that contain metadata: EXIF, XMP, and other data with a media type or a URI.
    private static let metadataTypes: Set<ChunkName> = ["Exif", "mime", "uri "]
    /// The properties that decoders know. They refuse an item with any other property that is essential.
    private static let knownProperties: Set<ChunkName> = [
        "ispe", "auxC", "colr", "av1C", "pasp", "clap", "irot", "imir", "pixi", "a1op", "lsel", "a1lx", "clli", "mdcv",
        "amve", "cclv",
    ]
    private static let transforms: Set<ChunkName> = ["clap", "irot", "imir"]
    /// The properties that describe the picture in words or name the time at which it was taken.
    private static let personalProperties: Set<ChunkName> = ["udes", "altt", "crtt", "mdft"]

    /// The ranges of the file to which the items with image data refer.
    private(set) var extents: [Range<Int>] = []
    /// The ranges of the box `idat`, inside `meta`, to which these items refer.
    private(set) var innerExtents: [Range<Int>] = []
    private var primaryID: Int?
    private var types: [Int: ChunkName] = [:]
    private var properties: [MediaBox] = []
    private var associations: [Int: [Association]] = [:]
    /// For each item, the items of which it is composed.
    private var tiles: [Int: [Int]] = [:]
    private var innerData: Range<Int>?
    private var itemsWithData: Set<Int> = []

    /// Reads the box, and keeps all of it except for metadata.
    init(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        let content = try box.versioned().rest
        layout.keep(box.range.lowerBound..<content.position)
        var locations: MediaBox?
        for child in try content.boxes() {
            switch child.type {
            case "idat":
                innerData = child.content.position..<child.range.upperBound
                layout.keep(child.range.lowerBound..<child.content.position)
                continue
            case "iprp":
                layout.keep(child.range.lowerBound..<child.content.position)
                for part in try child.content.boxes() { try readProperties(part, &layout) }
                continue
            case let type where type.isExpendable:
                layout.free(child)
                continue
            case "hdlr": try Self.checkHandler(child)
            case "pitm": primaryID = try Self.primaryItem(child)
            case "iinf": try readTypes(child)
            case "iref": try readReferences(child)
            case "iloc": locations = child
            default: break
            }
            layout.keep(child.range)
        }
        guard let locations else { throw .malformed }
        try readLocations(locations)
    }

    /// Returns the primary item.
    ///
    /// - Throws: `heic` if it is compressed as HEVC; `malformed` if browsers do not show it.
    func primary() throws(ImageFault) -> Primary {
        guard let id = primaryID, let type = types[id] else { throw .malformed }
        guard type == "av01" || type == "grid" else { throw type == "hvc1" ? .heic : .malformed }
        guard itemsWithData.contains(id) else { throw .malformed }
        let full = try size(of: id)
        var (size, isRotated) = (full, false)
        for association in associations[id] ?? [] {
            guard association.index > 0, association.index <= properties.count else { continue }
            let property = properties[association.index - 1]
            if association.isEssential {
                guard Self.knownProperties.contains(property.type) else { throw .malformed }
            } else {
                guard !Self.transforms.contains(property.type) else { throw .malformed }
            }
            var content = property.content
            switch property.type {
            case "irot":
                let quarters = try content.byte()
                guard quarters <= 3 else { throw .malformed }
                isRotated = quarters % 2 == 1
            case "clap": size = try Self.cropped(full, content)
            default: break
            }
        }
        var area = full.area
        if type == "grid" {
            var (sum, areas) = (0, [Int: Int]())
            for tile in tiles[id] ?? [] {
                if areas[tile] == nil { areas[tile] = try self.size(of: tile).area }
                sum = sum.addingSaturating(areas[tile] ?? 0)
            }
            area = max(area, sum)
        }
        return Primary(size: size, isRotated: isRotated, decodedArea: area)
    }

    private func size(of id: Int) throws(ImageFault) -> ImageHeader.Size {
        for association in associations[id] ?? [] {
            guard association.index > 0, association.index <= properties.count,
                properties[association.index - 1].type == "ispe"
            else { continue }
            var content = try properties[association.index - 1].versioned().rest
            let size = ImageHeader.Size(width: try content.bigEndian(4), height: try content.bigEndian(4))
            guard size.width > 0, size.height > 0 else { throw .noPixels }
            // The limit keeps the arithmetic of cropping within the range of integers.
            guard size.width <= Int(Int32.max), size.height <= Int(Int32.max) else { throw .malformed }
            return size
        }
        throw .malformed
    }

    /// Returns the size after cropping (ISO/IEC 14496-12, section 12.1.4).
    ///
    /// As Chromium does, it ignores an area that is not a part of the image, whose edges are not integers, or that does
    /// not begin at the top left corner.
    private static func cropped(_ full: ImageHeader.Size, _ content: ByteReader) throws(ImageFault) -> ImageHeader.Size
    {
        var content = content
        func fraction() throws(ImageFault) -> (numerator: Int, denominator: Int) {
            let numerator = Int(Int32(truncatingIfNeeded: try content.bigEndian(4)))
            return (numerator, Int(Int32(truncatingIfNeeded: try content.bigEndian(4))))
        }
        let (width, height) = (try fraction(), try fraction())
        let (across, down) = (try fraction(), try fraction())
        guard [width, height, across, down].allSatisfy({ $0.denominator > 0 }),
            width.numerator % width.denominator == 0, height.numerator % height.denominator == 0
        else { return full }
        let size = ImageHeader.Size(
            width: width.numerator / width.denominator, height: height.numerator / height.denominator)
        guard (1...full.width).contains(size.width), (1...full.height).contains(size.height),
            2 * across.numerator == (size.width - full.width) * across.denominator,
            2 * down.numerator == (size.height - full.height) * down.denominator
        else { return full }
        return size
    }

    // MARK: Boxes

    private static func checkHandler(_ box: MediaBox) throws(ImageFault) {
        var content = try box.versioned().rest
        try content.skip(4)
        guard try content.chunkName() == "pict" else { throw .malformed }
    }

    private static func primaryItem(_ box: MediaBox) throws(ImageFault) -> Int {
        var (content, version, _) = try box.versioned()
        return try content.bigEndian(version == 0 ? 2 : 4)
    }

    private mutating func readTypes(_ box: MediaBox) throws(ImageFault) {
        var (content, version, _) = try box.versioned()
        try content.skip(version == 0 ? 2 : 4)
        for entry in try content.boxes() where entry.type == "infe" {
            var (entry, version, _) = try entry.versioned()
            guard version >= 2 else { continue }
            let id = try entry.bigEndian(version == 2 ? 2 : 4)
            try entry.skip(2)
            types[id] = try entry.chunkName()
        }
    }

    private mutating func readReferences(_ box: MediaBox) throws(ImageFault) {
        let (content, version, _) = try box.versioned()
        let idSize = version == 0 ? 2 : 4
        for reference in try content.boxes() where reference.type == "dimg" {
            var list = reference.content
            let id = try list.bigEndian(idSize)
            for _ in 0..<(try list.bigEndian(2)) { tiles[id, default: []].append(try list.bigEndian(idSize)) }
        }
    }

    private mutating func readProperties(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        guard box.type == "ipco" else {
            if box.type == "ipma" { try readAssociations(box) }
            return layout.keep(box.range)
        }
        layout.keep(box.range.lowerBound..<box.content.position)
        for property in try box.content.boxes() {
            properties.append(property)
            let isPersonal = Self.personalProperties.contains(property.type) || property.type.isExpendable
            layout.keep(
                property.range.lowerBound..<(isPersonal ? property.content.position : property.range.upperBound))
        }
    }

    private mutating func readAssociations(_ box: MediaBox) throws(ImageFault) {
        var (content, version, flags) = try box.versioned()
        for _ in 0..<(try content.bigEndian(4)) {
            let id = try content.bigEndian(version == 0 ? 2 : 4)
            guard associations[id] == nil else { throw .malformed }
            for _ in 0..<(try content.byte()) {
                let isLong = flags & 1 == 1
                let value = try content.bigEndian(isLong ? 2 : 1)
                let essential = isLong ? 0x8000 : 0x80
                associations[id, default: []].append(
                    Association(index: value & ~essential, isEssential: value & essential != 0))
            }
        }
    }

    /// Reads where the data of the items is (ISO/IEC 14496-12, section 8.11.3).
    private mutating func readLocations(_ box: MediaBox) throws(ImageFault) {
        var (content, version, _) = try box.versioned()
        guard version <= 2 else { throw .malformed }
        let sizes = try content.bigEndian(2)
        let (offsetSize, lengthSize, baseSize) = (sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15)
        let indexSize = version == 0 ? 0 : sizes & 15
        guard [offsetSize, lengthSize, baseSize, indexSize].allSatisfy({ [0, 4, 8].contains($0) }) else {
            throw .malformed
        }
        for _ in 0..<(try content.bigEndian(version == 2 ? 4 : 2)) {
            let id = try content.bigEndian(version == 2 ? 4 : 2)
            let method = version == 0 ? 0 : try content.bigEndian(2) & 15
            let isExternal = try content.bigEndian(2) != 0
            let base = try content.bigEndian(baseSize)
            let count = try content.bigEndian(2)
            // Otherwise, a short box could state billions of extents.
            guard count <= 1 || offsetSize + lengthSize > 0 else { throw .malformed }
            let isMetadata = types[id].map(Self.metadataTypes.contains) ?? true
            for _ in 0..<count {
                try content.skip(indexSize)
                let (offset, length) = (try content.bigEndian(offsetSize), try content.bigEndian(lengthSize))
                guard !isMetadata, length > 0 else { continue }
                guard !isExternal, method <= 1 else { throw .malformed }
                let (start, overflow) = base.addingReportingOverflow(offset)
                guard !overflow else { throw .malformed }
                try addExtent(start, length, isInner: method == 1)
                itemsWithData.insert(id)
            }
        }
    }

    private mutating func addExtent(_ start: Int, _ length: Int, isInner: Bool) throws(ImageFault) {
        let origin = isInner ? innerData?.lowerBound : 0
        guard let origin else { throw .malformed }
        let (first, overflow) = start.addingReportingOverflow(origin)
        let (end, endOverflow) = first.addingReportingOverflow(length)
        guard !overflow, !endOverflow else { throw .malformed }
        if let innerData, isInner {
            guard end <= innerData.upperBound else { throw .truncated }
            innerExtents.append(first..<end)
        } else {
            extents.append(first..<end)
        }
    }
}
