extension ImageHeader {
    /// PNG, third edition: the header chunk first, image data, the end chunk last and nothing after it.
    static func png(_ reader: inout ByteReader) throws(ImageFault) -> ImageHeader {
        try reader.skip(8)
        let size = try pngHeader(&reader)
        var hasData = false
        var announced = 1
        var controls = 0
        while true {
            let length = try reader.big(4)
            let name = try reader.name()
            guard name.isPNG else { throw .malformed }
            var content = try reader.part(length)
            try reader.skip(4)
            switch name {
            case "IDAT": hasData = true
            case "IEND":
                guard length == 0, hasData, reader.isAtEnd else { throw .malformed }
                return try ImageHeader(.png, size, frames: max(announced, controls))
            case "acTL": announced = max(1, try content.big(4))
            case "fcTL": controls += 1
            case "PLTE": break
            default:
                // Decoders must give up at a chunk that is critical and that they do not know (section 5.4).
                guard !name.isCritical else { throw .malformed }
            }
        }
    }

    /// Section 11.2.1, with its check value: a header that was damaged says nothing.
    private static func pngHeader(_ reader: inout ByteReader) throws(ImageFault) -> Size {
        guard try reader.big(4) == 13 else { throw .malformed }
        var checked = reader
        guard try reader.name() == "IHDR" else { throw .malformed }
        let size = Size(width: try reader.big(4), height: try reader.big(4))
        let depth = try reader.byte()
        let colour = try reader.byte()
        let (compression, filter, interlace) = (try reader.byte(), try reader.byte(), try reader.byte())
        guard pngDepths(colour).contains(depth), compression == 0, filter == 0, interlace <= 1,
            try reader.big(4) == crc(try checked.part(17))
        else { throw .malformed }
        guard size.width > 0, size.height > 0 else { throw .noPixels }
        // Four-byte lengths stop at 2^31 - 1 (section 7.1).
        guard size.width <= Int(Int32.max), size.height <= Int(Int32.max) else { throw .malformed }
        return size
    }

    /// The bit depths that go with a colour type (table 12).
    private static func pngDepths(_ colour: UInt8) -> [UInt8] {
        switch colour {
        case 0: [1, 2, 4, 8, 16]
        case 3: [1, 2, 4, 8]
        case 2, 4, 6: [8, 16]
        default: []
        }
    }

    /// CRC-32 of the rest of a reader, bit by bit: it is short.
    private static func crc(_ rest: ByteReader) throws(ImageFault) -> Int {
        var rest = rest
        var crc = ~UInt32(0)
        while !rest.isAtEnd {
            crc ^= UInt32(try rest.byte())
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
        }
        return Int(~crc)
    }
}

extension ChunkName {
    /// Whether it is four letters, the third a capital (PNG, section 5.4).
    fileprivate var isPNG: Bool {
        bytes.allSatisfy { (0x41...0x5A).contains($0 & 0xDF) } && bytes[2] & 0x20 == 0
    }

    fileprivate var isCritical: Bool { bytes[0] & 0x20 == 0 }
}
