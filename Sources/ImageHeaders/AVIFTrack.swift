/// A track of an animated AVIF file: the box `trak`.
struct AVIFTrack {
    /// The boxes to keep in each box. Any other box is metadata.
    private static let parts: [ChunkName: Set<ChunkName>] = [
        "trak": ["tkhd", "edts", "tref", "mdia"], "edts": ["elst"], "mdia": ["mdhd", "hdlr", "minf"],
        "minf": ["vmhd", "dinf", "stbl"], "dinf": ["dref"],
        "stbl": ["stsd", "stts", "ctts", "stsc", "stsz", "stco", "co64", "stss", "sdtp"],
        "av01": [
            "av1C", "colr", "pasp", "clap", "irot", "imir", "pixi", "auxi", "ccst", "clli", "mdcv", "amve", "cclv",
        ],
    ]
    /// The range of the compressor's name in the content of `av01`, and the size of the fields around it
    /// (section 12.1.3).
    private static let compressorName = 42..<74
    private static let fieldsSize = 78

    let box: MediaBox
    private(set) var id = 0
    /// The type of the data: `pict`, or `auxv` for transparency.
    private(set) var handler: ChunkName = "    "
    /// The tracks of which this one is an auxiliary track.
    private(set) var masters: [Int] = []
    private(set) var statedArea = 0
    private var size = ImageHeader.Size(width: 0, height: 0)
    private var table: MediaBox?
    /// The properties of the frames, which are boxes in `av01`.
    private var properties: [MediaBox] = []

    init(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        self.box = box
        try read(box, &layout)
    }

    /// Returns the number and the places of the frames; `nil` if the track has no AV1 data.
    func samples(_ layout: inout FixedLayout) throws(ImageFault) -> AVIFSampleTables? {
        guard let table, statedArea > 0 else { return nil }
        return try AVIFSampleTables(table, &layout)
    }

    /// Returns the size of the track after cropping, and its rotation.
    func transforms() throws(ImageFault) -> AVIFTransforms {
        guard size.width > 0, size.height > 0 else { throw .noPixels }
        var transforms = AVIFTransforms(size)
        for property in properties { try transforms.apply(property) }
        return transforms
    }

    // MARK: Reading

    private mutating func read(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        switch box.type {
        case "tkhd": try readHeader(box)
        case "hdlr":
            var content = try box.versioned().rest
            try content.skip(4)
            handler = try content.chunkName()
        case "tref":
            var content = box.content
            while let reference = try content.nextBox(&layout) {
                var list = reference.content
                while reference.type == "auxl", !list.isAtEnd {
                    try layout.count()
                    masters.append(try list.bigEndian(4))
                }
            }
        case "stsd":
            var content = try box.versioned().rest
            try content.skip(4)
            while let entry = try content.nextBox(&layout) {
                if entry.type == "av01" { try readDescription(entry, &layout) }
            }
        case "trak", "mdia", "minf", "stbl":
            if box.type == "stbl" { table = box }
            let names = Self.parts[box.type] ?? []
            var content = box.content
            while let child = try content.nextBox(&layout) {
                if names.contains(child.type) { try read(child, &layout) }
            }
        default: break
        }
    }

    private mutating func readHeader(_ box: MediaBox) throws(ImageFault) {
        var (content, version, _) = try box.versioned()
        try content.skip(version == 1 ? 16 : 8)
        id = try content.bigEndian(4)
        // The duration, the layer, the volume and the matrix. The sizes are fixed-point numbers with 16 bits of
        // fraction.
        try content.skip((version == 1 ? 12 : 8) + 52)
        size = ImageHeader.Size(width: try content.bigEndian(4) >> 16, height: try content.bigEndian(4) >> 16)
    }

    private mutating func readDescription(_ entry: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        var content = entry.content
        try content.skip(24)
        let size = ImageHeader.Size(width: try content.bigEndian(2), height: try content.bigEndian(2))
        statedArea = max(statedArea, size.area)
        try content.skip(Self.fieldsSize - 28)
        while let property = try content.nextBox(&layout) { properties.append(property) }
    }

    // MARK: Keeping

    /// Keeps the track except for metadata.
    func keep(_ layout: inout FixedLayout) throws(ImageFault) {
        try keep(box, &layout)
    }

    private func keep(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        switch box.type {
        case "tkhd", "mdhd": try Self.keepHeaderWithoutTimes(box, &layout)
        case "hdlr": _ = try box.handler(&layout)
        case "dref": try keepDataReferences(box, &layout)
        case "stsd":
            var content = try box.versioned().rest
            try content.skip(4)
            layout.keep(box.range.lowerBound..<content.position)
            try keepChildren(content, ["av01"], &layout)
        case "av01":
            layout.keepHeader(box)
            let start = box.content.position
            var content = box.content
            try content.skip(Self.fieldsSize)
            layout.keep(start..<(start + Self.compressorName.lowerBound))
            layout.keep((start + Self.compressorName.upperBound)..<content.position)
            try keepChildren(content, Self.parts["av01"] ?? [], &layout)
        default:
            guard let names = Self.parts[box.type] else { return layout.keep(box.range) }
            layout.keepHeader(box)
            try keepChildren(box.content, names, &layout)
        }
    }

    private func keepChildren(
        _ content: ByteReader, _ names: Set<ChunkName>, _ layout: inout FixedLayout
    ) throws(ImageFault) {
        var content = content
        while let child = try content.nextBox(&layout) {
            if names.contains(child.type) { try keep(child, &layout) } else { layout.free(child) }
        }
    }

    /// Keeps the list of files that contain the data, without their names. Decoders use only this file.
    private func keepDataReferences(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        var content = try box.versioned().rest
        try content.skip(4)
        layout.keep(box.range.lowerBound..<content.position)
        while let reference = try content.nextBox(&layout) {
            layout.keep(reference.range.lowerBound..<(try reference.versioned().rest.position))
        }
    }

    /// Keeps a box `mvhd`, `tkhd` or `mdhd` except for the times at which its part of the file was made and changed.
    static func keepHeaderWithoutTimes(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        var (content, version, _) = try box.versioned()
        layout.keep(box.range.lowerBound..<content.position)
        try content.skip(version == 1 ? 16 : 8)
        layout.keep(content.position..<box.range.upperBound)
    }
}
