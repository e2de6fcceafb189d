extension ImageHeader {
    /// Reads a PNG (third edition): the header chunk, image data and other chunks, and the end chunk at the end of
    /// the file.
    static func png(_ reader: inout ByteReader) throws(ImageFault) -> ImageHeader {
        try reader.skip(8)
        let size = try pngHeader(&reader)
        var hasData = false
        var announcedFrames = 1
        var frameControls = 0
        while true {
            let length = try reader.bigEndian(4)
            let name = try reader.chunkName()
            guard name.isPNG else { throw .malformed }
            var content = try reader.slice(length)
            try reader.skip(4)
            switch name {
            case "IDAT": hasData = true
            case "IEND":
                guard length == 0, hasData, reader.isAtEnd else { throw .malformed }
                return try ImageHeader(.png, size, frames: max(announcedFrames, frameControls))
            case "acTL": announcedFrames = max(1, try content.bigEndian(4))
            case "fcTL": frameControls += 1
            case "PLTE": break
            default:
                // A decoder must reject an unknown critical chunk (section 5.4).
                guard !name.isCritical else { throw .malformed }
            }
        }
    }

    /// Reads the header chunk (section 11.2.1) and verifies its CRC.
    private static func pngHeader(_ reader: inout ByteReader) throws(ImageFault) -> Size {
        guard try reader.bigEndian(4) == 13 else { throw .malformed }
        var checked = reader
        guard try reader.chunkName() == "IHDR" else { throw .malformed }
        let size = Size(width: try reader.bigEndian(4), height: try reader.bigEndian(4))
        let depth = try reader.byte()
        let colour = try reader.byte()
        let (compression, filter, interlace) = (try reader.byte(), try reader.byte(), try reader.byte())
        guard pngDepths(colour).contains(depth), compression == 0, filter == 0, interlace <= 1,
            try reader.bigEndian(4) == crc(try checked.slice(17))
        else { throw .malformed }
        guard size.width > 0, size.height > 0 else { throw .noPixels }
        // PNG's four-byte integers are limited to 2^31 - 1 (section 7.1).
        guard size.width <= Int(Int32.max), size.height <= Int(Int32.max) else { throw .malformed }
        return size
    }

    /// Returns the bit depths that a colour type allows (table 12).
    private static func pngDepths(_ colour: UInt8) -> [UInt8] {
        switch colour {
        case 0: [1, 2, 4, 8, 16]
        case 3: [1, 2, 4, 8]
        case 2, 4, 6: [8, 16]
        default: []
        }
    }

    /// Returns the CRC-32 of the remaining bytes, computed bit by bit, because there are only a few.
    private static func crc(_ reader: ByteReader) throws(ImageFault) -> Int {
        var reader = reader
        var crc = ~UInt32(0)
        while !reader.isAtEnd {
            crc ^= UInt32(try reader.byte())
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
        }
        return Int(~crc)
    }
}

extension ChunkName {
    /// Whether the name has four letters, of which the third is in upper case (section 5.4).
    fileprivate var isPNG: Bool {
        bytes.allSatisfy { (0x41...0x5A).contains($0 & 0xDF) } && bytes[2] & 0x20 == 0
    }

    fileprivate var isCritical: Bool { bytes[0] & 0x20 == 0 }
}
