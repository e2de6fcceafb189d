#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads bytes and numbers one after another, up to an end; past it everything is `truncated`.
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

    /// Whether these bytes come next, or after some others.
    func begins(with wanted: some Collection<UInt8>, after offset: Int = 0) -> Bool {
        guard remaining - offset >= wanted.count else { return false }
        return bytes[(position + offset)..<end].starts(with: wanted)
    }

    mutating func skip(_ count: Int) throws(ImageFault) {
        guard count <= remaining else { throw .truncated }
        position += count
    }

    /// A reader of the next bytes alone, which are passed over here.
    mutating func part(_ count: Int) throws(ImageFault) -> ByteReader {
        let start = position
        try skip(count)
        return ByteReader(bytes, start..<position)
    }

    mutating func byte() throws(ImageFault) -> UInt8 {
        guard position < end else { throw .truncated }
        defer { position += 1 }
        return bytes[position]
    }

    /// A number of so many bytes, the most significant one first.
    mutating func big(_ count: Int) throws(ImageFault) -> Int {
        var value = 0
        for _ in 0..<count { value = value << 8 | Int(try byte()) }
        return value
    }

    /// A number of so many bytes, the least significant one first.
    mutating func little(_ count: Int) throws(ImageFault) -> Int {
        var value = 0
        for place in 0..<count { value |= Int(try byte()) << (8 * place) }
        return value
    }

    /// Four bytes that name a chunk.
    mutating func name() throws(ImageFault) -> ChunkName {
        ChunkName(code: UInt32(truncatingIfNeeded: try big(4)))
    }

    /// Goes to the next FF that is followed by a code which some bytes do not have.
    ///
    /// - Parameter isData: whether a code after FF only belongs to data.
    mutating func seekMarker(_ isData: (UInt8) -> Bool) throws(ImageFault) {
        let (start, end) = (position, end)
        let found: Int? = bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return nil }
            var place = start
            // memchr(3) reads the given number of bytes at most, all of them inside the array.
            while place + 1 < end, let next = memchr(base + place, 0xFF, end - 1 - place) {
                place = UnsafeRawPointer(next) - base
                let code = buffer[place + 1]
                if code != 0xFF, !isData(code) { return place }
                place += code == 0xFF ? 1 : 2
            }
            return nil
        }
        guard let found else { throw .truncated }
        position = found
    }
}

/// The name of a chunk in a PNG or a WebP file.
struct ChunkName: Hashable, ExpressibleByStringLiteral {
    let code: UInt32

    init(code: UInt32) {
        self.code = code
    }

    /// A name of four ASCII characters.
    init(stringLiteral text: String) {
        code = text.utf8.reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Its characters' codes.
    var bytes: [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: code >> $0) } }
}
