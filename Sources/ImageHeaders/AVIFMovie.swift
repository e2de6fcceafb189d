/// The box `moov` of an animated AVIF file: its tracks with the frames (ISO/IEC 14496-12, section 8).
struct AVIFMovie {
    /// The largest number of frames of a track with pictures.
    private(set) var frames = 0
    /// The area of the largest frame.
    private(set) var frameArea = 0
    /// The ranges of the file with the frames.
    private(set) var chunks: [Range<Int>] = []

    /// Reads the box, and keeps all of it except for metadata.
    init(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        layout.keep(box.range.lowerBound..<box.content.position)
        for child in try box.content.boxes() {
            switch child.type {
            case "trak": try readTrack(child, &layout)
            case "meta": layout.free(child)
            case let type where type.isExpendable: layout.free(child)
            default: layout.keep(child.range)
            }
        }
        guard frames > 0 else { throw .malformed }
    }

    private mutating func readTrack(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        layout.keep(box.range.lowerBound..<box.content.position)
        for child in try box.content.boxes() {
            if child.type == "meta" || child.type.isExpendable { layout.free(child) } else { layout.keep(child.range) }
            guard child.type == "mdia" else { continue }
            var handler: ChunkName = "    "
            var tables: MediaBox?
            for part in try child.content.boxes() {
                if part.type == "hdlr" {
                    var content = try part.versioned().rest
                    try content.skip(4)
                    handler = try content.chunkName()
                } else if part.type == "minf" {
                    tables = try part.content.boxes().first { $0.type == "stbl" }
                }
            }
            guard let tables else { throw .malformed }
            let count = try readTables(tables)
            if handler == "pict" { frames = max(frames, count) }
        }
    }

    /// Reads the sample tables of a track, and returns the number of frames.
    private mutating func readTables(_ box: MediaBox) throws(ImageFault) -> Int {
        var tables: [ChunkName: MediaBox] = [:]
        for table in try box.content.boxes() { tables[table.type] = table }
        guard let sizes = tables["stsz"], let groups = tables["stsc"], let offsets = tables["stco"] ?? tables["co64"],
            let description = tables["stsd"]
        else { throw .malformed }
        try readDescription(description)
        var samples = try SampleSizes(sizes)
        var group = try SampleGroups(groups)
        var list = try offsets.versioned().rest
        for number in 0..<(try list.bigEndian(4)) {
            let start = try list.bigEndian(offsets.type == "co64" ? 8 : 4)
            let length = try samples.next(try group.count(inChunk: number + 1))
            let (end, overflow) = start.addingReportingOverflow(length)
            guard !overflow else { throw .malformed }
            if length > 0 { chunks.append(start..<end) }
        }
        guard samples.isAtEnd else { throw .malformed }
        return samples.count
    }

    /// Reads the size of the frames in the first sample entry (ISO/IEC 14496-12, section 12.1.3).
    private mutating func readDescription(_ box: MediaBox) throws(ImageFault) {
        var content = try box.versioned().rest
        try content.skip(4)
        for entry in try content.boxes() where entry.type == "av01" {
            var entry = entry.content
            try entry.skip(24)
            let size = ImageHeader.Size(width: try entry.bigEndian(2), height: try entry.bigEndian(2))
            frameArea = max(frameArea, size.area)
        }
    }
}

/// The table `stsz`: the size of each sample.
private struct SampleSizes {
    let count: Int
    /// The size of all samples; 0 if each has a size of its own.
    private let commonSize: Int
    private var list: ByteReader
    private var remaining: Int

    var isAtEnd: Bool { remaining == 0 }

    init(_ box: MediaBox) throws(ImageFault) {
        list = try box.versioned().rest
        commonSize = try list.bigEndian(4)
        count = try list.bigEndian(4)
        remaining = count
    }

    /// Returns the size of the next samples together.
    mutating func next(_ count: Int) throws(ImageFault) -> Int {
        guard count <= remaining else { throw .malformed }
        remaining -= count
        guard commonSize == 0 else { return count.multipliedSaturating(by: commonSize) }
        var sum = 0
        for _ in 0..<count { sum += try list.bigEndian(4) }
        return sum
    }
}

/// The table `stsc`: the number of samples in each chunk. An entry applies to the chunks from its first chunk up to the
/// first chunk of the next entry.
private struct SampleGroups {
    private var list: ByteReader
    private var remaining: Int
    private var current = 0
    private var next: (firstChunk: Int, count: Int)?

    init(_ box: MediaBox) throws(ImageFault) {
        list = try box.versioned().rest
        remaining = try list.bigEndian(4)
        try advance()
    }

    /// Returns the number of samples of a chunk. Call this for the chunks in their order.
    mutating func count(inChunk number: Int) throws(ImageFault) -> Int {
        while let entry = next, entry.firstChunk <= number {
            current = entry.count
            try advance()
        }
        return current
    }

    private mutating func advance() throws(ImageFault) {
        guard remaining > 0 else {
            next = nil
            return
        }
        remaining -= 1
        next = (try list.bigEndian(4), try list.bigEndian(4))
        try list.skip(4)
    }
}
