/// A box of an ISO base media file (ISO/IEC 14496-12, section 4.2).
struct MediaBox {
    let type: ChunkName
    /// The whole box, including its header.
    let range: Range<Int>
    let content: ByteReader

    /// Reads the version and the flags at the beginning of the content, and returns them with a reader of the rest.
    func versioned() throws(ImageFault) -> (rest: ByteReader, version: Int, flags: Int) {
        var rest = content
        let (version, flags) = (Int(try rest.byte()), try rest.bigEndian(3))
        return (rest, version, flags)
    }

    /// Reads the type of the data in a box `hdlr`, and keeps the box except for its name.
    func handler(_ layout: inout FixedLayout) throws(ImageFault) -> ChunkName {
        var content = try versioned().rest
        try content.skip(4)
        let type = try content.chunkName()
        try content.skip(12)
        layout.keep(range.lowerBound..<content.position)
        return type
    }
}

extension ByteReader {
    /// Reads a box. A box of size 0 reaches to the end.
    mutating func box() throws(ImageFault) -> MediaBox {
        let start = position
        var size = try bigEndian(4)
        let type = try chunkName()
        if size == 1 { size = try bigEndian(8) } else if size == 0 { size = end - start }
        let content = try slice(size - (position - start))
        return MediaBox(type: type, range: start..<position, content: content)
    }

    /// Reads and counts the next box; `nil` at the end.
    mutating func nextBox(_ layout: inout FixedLayout) throws(ImageFault) -> MediaBox? {
        guard !isAtEnd else { return nil }
        try layout.count()
        return try box()
    }
}
