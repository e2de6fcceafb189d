/// The items in the box `meta` of an AVIF file (ISO/IEC 14496-12, section 8.11, and ISO/IEC 23008-12).
///
/// Only the items that make up the picture are kept: the primary item, the tiles and the transparency of it, and the
/// gain map with which it becomes a picture of a higher dynamic range. All other items become items of no known type,
/// without a name and without data: EXIF, XMP, thumbnails, depth maps and hidden pictures.
struct AVIFItems {
    /// The primary item as a browser shows it.
    struct Primary {
        let transforms: AVIFTransforms
        /// The number of pixels that a decoder processes.
        let decodedArea: Int
    }

    private static let imageTypes: Set<ChunkName> = ["av01", "grid", "tmap"]
    /// The boxes of which `meta` has at most one. Any other box is metadata.
    private static let boxTypes: Set<ChunkName> = ["hdlr", "pitm", "iinf", "iref", "iprp", "iloc", "idat", "grpl"]

    private var primaryID: Int?
    private var types: [Int: ChunkName] = [:]
    /// The items with the positions of their types, which follow the first bytes of the boxes `infe`.
    private var entries: [(id: Int, start: Int, type: Int)] = []
    private var properties = AVIFProperties()
    /// For each item, the items from which it is derived.
    private var inputs: [Int: [Int]] = [:]
    /// For each item, the auxiliary images of it.
    private var auxiliaries: [Int: Set<Int>] = [:]
    /// For each item of the picture, the ranges of the file with its data.
    private var data: [Int: [Range<Int>]] = [:]

    /// Whether the primary item or one of its tiles is compressed as HEVC.
    var isPrimaryHEVC: Bool {
        guard let id = primaryID else { return false }
        let tiles = types[id] == "grid" ? inputs[id] ?? [] : []
        return ([id] + tiles).contains { types[$0] == "hvc1" }
    }

    /// The ranges of the file with image data.
    var ranges: some Sequence<Range<Int>> { data.values.joined() }

    /// Reads the box, and keeps all of it except for metadata. It does not keep the image data.
    init(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        var content = try box.versioned().rest
        layout.keep(box.range.lowerBound..<content.position)
        var found: Set<ChunkName> = []
        var locations = AVIFLocations()
        var inner: Range<Int>?
        while let child = try content.nextBox(&layout) {
            guard Self.boxTypes.contains(child.type) else {
                layout.free(child)
                continue
            }
            guard found.insert(child.type).inserted else { throw .malformed }
            switch child.type {
            case "hdlr": guard try child.handler(&layout) == "pict" else { throw .malformed }
            case "pitm": primaryID = try Self.primaryItem(child, &layout)
            case "iinf": try readEntries(child, &layout)
            case "iref": try readReferences(child, &layout)
            case "iprp": properties = try AVIFProperties(child, &layout)
            case "iloc": locations = try AVIFLocations(child, &layout)
            case "grpl": try Self.keepGroups(child, &layout)
            default:
                inner = child.content.position..<child.range.upperBound
                layout.keepHeader(child)
            }
        }
        guard found.contains("iloc") else { throw .malformed }
        let needed = pictureItems()
        for entry in entries {
            layout.keep(entry.start..<entry.type)
            if needed.contains(entry.id) {
                layout.keep(entry.type..<(entry.type + 4))
            } else {
                layout.replaceName(at: entry.type, with: FixedLayout.freeType)
            }
        }
        data = try locations.ranges(of: needed, inner: inner)
    }

    /// Returns the primary item. Its area is that of the compressed data if the file states a smaller one.
    ///
    /// - Parameter file: a reader of the file.
    /// - Throws: `heic` if the item or one of its tiles is compressed as HEVC; `malformed` if browsers do not show it.
    func primary(in file: ByteReader) throws(ImageFault) -> Primary {
        guard !isPrimaryHEVC else { throw .heic }
        guard let id = primaryID, let type = types[id], type == "av01" || type == "grid" else { throw .malformed }
        guard data[id] != nil, let size = try properties.size(of: id) else { throw .malformed }
        let transforms = try properties.transforms(of: id, size)
        var areas: [Int: Int] = [:]
        for item in data.keys { areas[item] = try decodedArea(of: item, in: file) }
        var largest = areas.values.max() ?? 0
        for item in data.keys where types[item] == "grid" {
            let tiles = (inputs[item] ?? []).map { areas[$0] }
            guard !tiles.contains(nil) else { throw .malformed }
            largest = max(largest, tiles.reduce(0) { $0.addingSaturating($1 ?? 0) })
        }
        return Primary(transforms: transforms, decodedArea: largest)
    }

    /// Returns the area of an item without its tiles.
    private func decodedArea(of id: Int, in file: ByteReader) throws(ImageFault) -> Int {
        let stated = try properties.size(of: id)?.area ?? 0
        guard types[id] == "av01", let ranges = data[id] else { return stated }
        return max(stated, try AV1Sequence.maximumSize(in: try file.reader(of: ranges)).area)
    }

    /// Returns the items that make up the picture.
    private func pictureItems() -> Set<Int> {
        guard let primaryID else { return [] }
        // An item can be an auxiliary image of many others, so each is examined only once.
        let alpha = Set(auxiliaries.values.joined()).filter(properties.isAlpha)
        var items: Set<Int> = []
        var next = [primaryID] + inputs.keys.filter { types[$0] == "tmap" && inputs[$0]?.contains(primaryID) == true }
        while let id = next.popLast() {
            guard let type = types[id], Self.imageTypes.contains(type), items.insert(id).inserted else { continue }
            next += inputs[id] ?? []
            next += (auxiliaries[id] ?? []).intersection(alpha)
        }
        return items
    }

    // MARK: Boxes

    private static func primaryItem(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) -> Int {
        var (content, version, _) = try box.versioned()
        let id = try content.bigEndian(version == 0 ? 2 : 4)
        layout.keep(box.range.lowerBound..<content.position)
        return id
    }

    private mutating func readEntries(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        var (content, version, _) = try box.versioned()
        let count = try content.bigEndian(version == 0 ? 2 : 4)
        layout.keep(box.range.lowerBound..<content.position)
        for _ in 0..<count {
            guard let entry = try content.nextBox(&layout), entry.type == "infe" else { throw .malformed }
            var (fields, version, _) = try entry.versioned()
            guard version == 2 || version == 3 else { throw .malformed }
            let id = try fields.bigEndian(version == 2 ? 2 : 4)
            try fields.skip(2)
            entries.append((id, entry.range.lowerBound, fields.position))
            types[id] = try fields.chunkName()
        }
    }

    private mutating func readReferences(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        var (content, version, _) = try box.versioned()
        let idSize = version == 0 ? 2 : 4
        layout.keep(box.range.lowerBound..<content.position)
        while let reference = try content.nextBox(&layout) {
            var list = reference.content
            let id = try list.bigEndian(idSize)
            for _ in 0..<(try list.bigEndian(2)) {
                try layout.count()
                let other = try list.bigEndian(idSize)
                if reference.type == "dimg" { inputs[id, default: []].append(other) }
                if reference.type == "auxl" { auxiliaries[other, default: []].insert(id) }
            }
            guard list.isAtEnd else { throw .malformed }
            layout.keep(reference.range)
        }
    }

    /// Keeps the lists of items that are alternatives to each other. They contain only ids.
    private static func keepGroups(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        layout.keepHeader(box)
        var content = box.content
        while let group = try content.nextBox(&layout) {
            var list = try group.versioned().rest
            try list.skip(4)
            try list.skip(try list.bigEndian(4).multipliedSaturating(by: 4))
            layout.keep(group.range.lowerBound..<list.position)
        }
    }
}
