extension ImageHeader {
    /// Reads a GIF (GIF89a specification): the logical screen, the blocks and the trailer at the end of the file.
    static func gif(_ reader: inout ByteReader) throws(ImageFault) -> ImageHeader {
        try reader.skip(6)
        let screen = Size(width: try reader.littleEndian(2), height: try reader.littleEndian(2))
        guard screen.width > 0, screen.height > 0 else { throw .noPixels }
        let flags = try reader.byte()
        try reader.skip(2)
        try skipColourTable(&reader, flags)
        var frames = 0
        var pixels = 0
        while true {
            switch try reader.byte() {
            case 0x21:
                try reader.skip(1)
                try skipSubBlocks(&reader)
            case 0x2C:
                // For each frame a decoder draws the whole screen, or the frame if the frame is larger.
                pixels = pixels.addingSaturating(max(screen.area, try gifFrame(&reader).area))
                frames += 1
            case 0x3B:
                guard frames > 0, reader.isAtEnd else { throw .malformed }
                return try ImageHeader(.gif, screen, frames: frames, pixels: pixels)
            default:
                throw .malformed
            }
        }
    }

    /// Reads an image (sections 20 to 22): the descriptor, the local colour table, the LZW code size and the data.
    private static func gifFrame(_ reader: inout ByteReader) throws(ImageFault) -> Size {
        try reader.skip(4)
        let size = Size(width: try reader.littleEndian(2), height: try reader.littleEndian(2))
        guard size.width > 0, size.height > 0 else { throw .noPixels }
        let flags = try reader.byte()
        try skipColourTable(&reader, flags)
        // An LZW code has at most 12 bits. The first codes have one bit more than the code size (appendix F).
        guard (1...11).contains(try reader.byte()) else { throw .malformed }
        try skipSubBlocks(&reader)
        return size
    }

    private static func skipColourTable(_ reader: inout ByteReader, _ flags: UInt8) throws(ImageFault) {
        if flags & 0x80 != 0 { try reader.skip(3 << (Int(flags & 7) + 1)) }
    }

    private static func skipSubBlocks(_ reader: inout ByteReader) throws(ImageFault) {
        while true {
            let count = try reader.byte()
            guard count > 0 else { return }
            try reader.skip(Int(count))
        }
    }
}
