extension ImageHeader {
    /// Reads a JPEG (ITU T.81, annex B): the segments up to the end of the image. Entropy-coded data follows each start
    /// of a scan.
    ///
    /// Bytes after the end of the image are allowed, because cameras append videos and depth maps.
    static func jpeg(_ reader: inout ByteReader) throws(ImageFault) -> ImageHeader {
        try reader.skip(2)
        var size: Size?
        var hasScan = false
        while true {
            switch try marker(&reader) {
            case 0xD9:  // end of image
                guard let size, hasScan else { throw .malformed }
                return try ImageHeader(.jpg, size)
            case 0x01, 0xD0...0xD7:  // markers without a segment
                continue
            case 0xC0...0xC3, 0xC9...0xCB:  // start of frame
                // A second frame header is refused, because decoders could disagree about which size is valid.
                guard size == nil else { throw .malformed }
                size = try frame(try segment(&reader))
            case 0xDA:  // start of scan
                guard size != nil else { throw .malformed }
                _ = try segment(&reader)
                hasScan = true
                // FF 00 stands for a data byte FF, and restart markers are inside the data (section B.1.1.5).
                try reader.seekMarker { $0 == 0x00 || (0xD0...0xD7).contains($0) }
            case 0xC4, 0xCC, 0xDB...0xDD, 0xE0...0xEF, 0xFE:  // tables and miscellaneous segments (section B.2.4)
                _ = try segment(&reader)
            default:
                // A reserved marker, a hierarchical frame or the start of another image. Decoders also reject these.
                throw .malformed
            }
        }
    }

    /// Reads a marker's code. Fill bytes can precede it (section B.1.1.2).
    private static func marker(_ reader: inout ByteReader) throws(ImageFault) -> UInt8 {
        guard try reader.byte() == 0xFF else { throw .malformed }
        while true {
            let code = try reader.byte()
            if code != 0xFF { return code }
        }
    }

    /// Reads a segment. Its length includes the two bytes of the length itself.
    private static func segment(_ reader: inout ByteReader) throws(ImageFault) -> ByteReader {
        let length = try reader.bigEndian(2)
        guard length >= 2 else { throw .malformed }
        return try reader.slice(length - 2)
    }

    /// Reads the size in a frame header (section B.2.2). A height of 0 is an error, although a later segment could
    /// define the height.
    private static func frame(_ segment: ByteReader) throws(ImageFault) -> Size {
        var segment = segment
        try segment.skip(1)
        let height = try segment.bigEndian(2)
        let width = try segment.bigEndian(2)
        let components = try segment.byte()
        guard (1...4).contains(components), segment.remaining == 3 * Int(components) else { throw .malformed }
        guard width > 0, height > 0 else { throw .noPixels }
        return Size(width: width, height: height)
    }
}
