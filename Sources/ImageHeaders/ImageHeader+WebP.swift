extension ImageHeader {
    /// Reads a WebP (RFC 9649, section 2): a RIFF file with one image chunk, or the extended format with a canvas.
    static func webp(_ reader: inout ByteReader) throws(ImageFault) -> ImageHeader {
        try reader.skip(4)
        let length = try reader.littleEndian(4)
        var file = try reader.slice(length)
        // A chunk of odd size is followed by a padding byte. Some writers do not count the padding of the last chunk as
        // a part of the length.
        guard reader.isAtEnd || length % 2 == 1 && reader.remaining == 1 else { throw .malformed }
        try file.skip(4)
        let (name, content) = try chunk(&file)
        guard name == "VP8X" else {
            guard let size = try image(name, content) else { throw .malformed }
            while !file.isAtEnd { _ = try chunk(&file) }
            return try ImageHeader(.webp, size)
        }
        return try extended(content, &file)
    }

    /// Reads the extended format (section 2.7). A still image has the size of the canvas. The frames of an animation
    /// have sizes of their own.
    private static func extended(_ header: ByteReader, _ file: inout ByteReader) throws(ImageFault) -> ImageHeader {
        var header = header
        let isAnimated = try header.byte() & 2 != 0
        try header.skip(3)
        let canvas = Size(width: try header.littleEndian(3) + 1, height: try header.littleEndian(3) + 1)
        var frames = 0
        var pixels = 0
        while !file.isAtEnd {
            let (name, content) = try chunk(&file)
            if name == "ANMF", isAnimated {
                pixels = pixels.addingSaturating(max(canvas.area, try animationFrame(content).area))
                frames += 1
            } else if let size = try image(name, content) {
                guard size == canvas, !isAnimated, frames == 0 else { throw .malformed }
                pixels = size.area
                frames = 1
            }
        }
        guard frames > 0 else { throw .malformed }
        return try ImageHeader(.webp, canvas, frames: frames, pixels: pixels)
    }

    /// Reads the size of an animation frame. The frame contains its position, size and duration, and chunks of which
    /// exactly one is an image.
    private static func animationFrame(_ frame: ByteReader) throws(ImageFault) -> Size {
        var frame = frame
        try frame.skip(6)
        let size = Size(width: try frame.littleEndian(3) + 1, height: try frame.littleEndian(3) + 1)
        try frame.skip(4)
        var images = 0
        while !frame.isAtEnd {
            let (name, content) = try chunk(&frame)
            guard let found = try image(name, content) else { continue }
            guard found == size else { throw .malformed }
            images += 1
        }
        guard images == 1 else { throw .malformed }
        return size
    }

    private static func chunk(_ reader: inout ByteReader) throws(ImageFault) -> (ChunkName, ByteReader) {
        let name = try reader.chunkName()
        let length = try reader.littleEndian(4)
        let content = try reader.slice(length)
        if length % 2 == 1, !reader.isAtEnd { try reader.skip(1) }
        return (name, content)
    }

    /// Returns the size in an image chunk; `nil` for any other chunk.
    private static func image(_ name: ChunkName, _ content: ByteReader) throws(ImageFault) -> Size? {
        var content = content
        switch name {
        case "VP8 ":
            // RFC 6386, section 9.1: a key frame, the start code, and two sizes. The 14 lower bits are the size, the
            // upper bits a scale.
            guard try content.byte() & 1 == 0 else { throw .malformed }
            try content.skip(2)
            guard try content.bigEndian(3) == 0x9D012A else { throw .malformed }
            let size = Size(width: try content.littleEndian(2) & 0x3FFF, height: try content.littleEndian(2) & 0x3FFF)
            guard size.width > 0, size.height > 0 else { throw .noPixels }
            return size
        case "VP8L":
            // RFC 9649, section 3.4: a signature, both sizes minus 1 with 14 bits each, an alpha bit, and version 0.
            guard try content.byte() == 0x2F else { throw .malformed }
            let bits = try content.littleEndian(4)
            guard bits >> 29 == 0 else { throw .malformed }
            return Size(width: (bits & 0x3FFF) + 1, height: (bits >> 14 & 0x3FFF) + 1)
        default:
            return nil
        }
    }
}
