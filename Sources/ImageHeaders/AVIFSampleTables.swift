/// The chunks of a track's frames, read from the boxes in `stbl` (ISO/IEC 14496-12, section 8.7).
struct AVIFSampleTables {
    /// The number of frames.
    let count: Int
    /// The ranges of the file with the frames.
    private(set) var chunks: [Range<Int>] = []

    init(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        var tables: [ChunkName: MediaBox] = [:]
        var content = box.content
        while let table = try content.nextBox(&layout) { tables[table.type] = table }
        guard let sizes = tables["stsz"], let groups = tables["stsc"], let offsets = tables["stco"] ?? tables["co64"]
        else { throw .malformed }
        var samples = try SampleSizes(sizes)
        var group = try SampleGroups(groups)
        var list = try offsets.versioned().rest
        for number in 0..<(try list.bigEndian(4)) {
            try layout.count()
            let start = try list.bigEndian(offsets.type == "co64" ? 8 : 4)
            let length = try samples.next(try group.count(inChunk: number + 1))
            let (end, overflow) = start.addingReportingOverflow(length)
            guard !overflow else { throw .malformed }
            if length > 0 { chunks.append(start..<end) }
        }
        guard samples.isAtEnd else { throw .malformed }
        count = samples.count
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
