extension ImageHeader {
    /// ITU T.81, annex B: segments up to the end of the image, with entropy-coded bytes after each start of a scan.
    ///
    /// What follows the end of the image is not looked at: cameras put films and depth maps there.
    static func jpeg(_ reader: inout ByteReader) throws(ImageFault) -> ImageHeader {
        try reader.skip(2)
        var size: Size?
        var hasScan = false
        while true {
            switch try marker(&reader) {
            case 0xD9:
                guard let size, hasScan else { throw .malformed }
                return try ImageHeader(.jpg, size)
            case 0x01, 0xD0...0xD7:
                continue
            case 0xC0...0xC3, 0xC9...0xCB:
                // A second frame header could say another size to another reader.
                guard size == nil else { throw .malformed }
                size = try frame(try segment(&reader))
            case 0xDA:
                guard size != nil else { throw .malformed }
                _ = try segment(&reader)
                hasScan = true
                // A zero after FF says that the FF is data; restarts stand in the middle of them.
                try reader.seekMarker { $0 == 0x00 || (0xD0...0xD7).contains($0) }
            case 0xC4, 0xCC, 0xDB...0xDD, 0xE0...0xEF, 0xFE:
                _ = try segment(&reader)
            default:
                // Reserved, hierarchical, or the start of another image: decoders give up here too.
                throw .malformed
            }
        }
    }

    /// Any number of fill bytes may come before a marker's code (section B.1.1.2).
    private static func marker(_ reader: inout ByteReader) throws(ImageFault) -> UInt8 {
        guard try reader.byte() == 0xFF else { throw .malformed }
        while true {
            let code = try reader.byte()
            if code != 0xFF { return code }
        }
    }

    /// The length counts its own two bytes.
    private static func segment(_ reader: inout ByteReader) throws(ImageFault) -> ByteReader {
        let length = try reader.big(2)
        guard length >= 2 else { throw .malformed }
        return try reader.part(length - 2)
    }

    /// Section B.2.2; a height that a later segment tells counts as none.
    private static func frame(_ segment: ByteReader) throws(ImageFault) -> Size {
        var segment = segment
        try segment.skip(1)
        let height = try segment.big(2)
        let width = try segment.big(2)
        let components = try segment.byte()
        guard (1...4).contains(components), segment.remaining == 3 * Int(components) else { throw .malformed }
        guard width > 0, height > 0 else { throw .noPixels }
        return Size(width: width, height: height)
    }
}
