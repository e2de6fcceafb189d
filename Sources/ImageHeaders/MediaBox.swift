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

    /// Reads all boxes up to the end.
    func boxes() throws(ImageFault) -> [MediaBox] {
        var reader = self
        var boxes: [MediaBox] = []
        while !reader.isAtEnd { boxes.append(try reader.box()) }
        return boxes
    }
}

extension ChunkName {
    /// Whether a box of this type contains no part of an image, but free space, user data, XML, or data that only the
    /// programs of one vendor know.
    var isExpendable: Bool { ["free", "skip", "udta", "uuid", "xml ", "bxml"].contains(self) }
}
