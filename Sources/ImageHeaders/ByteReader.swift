#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads bytes and integers one after another. Reading past the end throws ``ImageFault/truncated``.
struct ByteReader {
    private let bytes: [UInt8]
    private(set) var position: Int
    let end: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
        end = bytes.count
    }

    private init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    var remaining: Int { end - position }
    var isAtEnd: Bool { position == end }

    /// Returns whether the remaining bytes continue with `prefix` after the first `offset` bytes.
    func begins(with prefix: some Collection<UInt8>, after offset: Int = 0) -> Bool {
        guard remaining - offset >= prefix.count else { return false }
        return bytes[(position + offset)..<end].starts(with: prefix)
    }

    mutating func skip(_ count: Int) throws(ImageFault) {
        guard count >= 0 else { throw .malformed }
        guard count <= remaining else { throw .truncated }
        position += count
    }

    /// Skips the next bytes and returns a reader of these bytes.
    mutating func slice(_ count: Int) throws(ImageFault) -> ByteReader {
        let start = position
        try skip(count)
        return ByteReader(bytes, start..<position)
    }

    /// Returns a reader of the data in ranges of the file: of all data if it is in one range, otherwise of the first
    /// bytes.
    func reader(of ranges: [Range<Int>]) throws(ImageFault) -> ByteReader {
        guard ranges.allSatisfy({ $0.upperBound <= bytes.count }) else { throw .truncated }
        if ranges.count == 1 { return ByteReader(bytes, ranges[0]) }
        var first: [UInt8] = []
        for range in ranges where first.count < 1024 { first += bytes[range].prefix(1024) }
        return ByteReader(first)
    }

    mutating func byte() throws(ImageFault) -> UInt8 {
        guard position < end else { throw .truncated }
        defer { position += 1 }
        return bytes[position]
    }

    /// Reads the next bytes.
    mutating func bytes(_ count: Int) throws(ImageFault) -> [UInt8] {
        let start = position
        try skip(count)
        return Array(bytes[start..<position])
    }

    /// Reads a big-endian integer of `count` bytes, at most 8. An integer above `Int.max` throws
    /// ``ImageFault/malformed``.
    mutating func bigEndian(_ count: Int) throws(ImageFault) -> Int {
        var value = 0
        for _ in 0..<count { value = value << 8 | Int(try byte()) }
        guard value >= 0 else { throw .malformed }
        return value
    }

    /// Reads a little-endian integer of `count` bytes, at most 7.
    mutating func littleEndian(_ count: Int) throws(ImageFault) -> Int {
        var value = 0
        for index in 0..<count { value |= Int(try byte()) << (8 * index) }
        return value
    }

    /// Reads the four bytes of a chunk's name.
    mutating func chunkName() throws(ImageFault) -> ChunkName {
        ChunkName(code: UInt32(truncatingIfNeeded: try bigEndian(4)))
    }

    /// Skips to the next JPEG marker: an FF byte and a code.
    ///
    /// - Parameter isData: returns whether FF with this code is not a marker.
    mutating func seekMarker(_ isData: (UInt8) -> Bool) throws(ImageFault) {
        guard let marker = nextMarker(isData) else { throw .truncated }
        position = marker
    }

    /// Skips to the next JPEG marker, or to the end if there is none.
    ///
    /// - Parameter isData: returns whether FF with this code is a part of the entropy-coded data and not a marker.
    mutating func skipToMarkerOrEnd(_ isData: (UInt8) -> Bool) {
        position = nextMarker(isData) ?? end
    }

    private func nextMarker(_ isData: (UInt8) -> Bool) -> Int? {
        bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return nil }
            var index = position
            // memchr(3) examines at most the given number of bytes, which are all inside the array.
            while index + 1 < end, let next = memchr(base + index, 0xFF, end - 1 - index) {
                index = UnsafeRawPointer(next) - base
                let code = buffer[index + 1]
                if code != 0xFF, !isData(code) { return index }
                index += code == 0xFF ? 1 : 2
            }
            return nil
        }
    }
}

/// The name of a chunk in a PNG or a WebP file, or the type of a box in an AVIF file.
struct ChunkName: Hashable, ExpressibleByStringLiteral {
    let code: UInt32

    init(code: UInt32) {
        self.code = code
    }

    /// Makes a name from four ASCII characters.
    init(stringLiteral text: String) {
        code = text.utf8.reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The four characters as ASCII bytes.
    var bytes: [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: code >> $0) } }
}
