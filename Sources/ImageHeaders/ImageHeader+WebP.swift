extension ImageHeader {
    /// RFC 9649, section 2: a RIFF file of one image chunk, or the extended form with a canvas, and nothing after it.
    static func webp(_ reader: inout ByteReader) throws(ImageFault) -> ImageHeader {
        try reader.skip(4)
        let length = try reader.little(4)
        var file = try reader.part(length)
        // A last chunk of odd size has a byte of padding, which some writers leave out of the length.
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

    /// Section 2.7: every image in it is of the canvas's size, every frame of a film of its own.
    private static func extended(_ header: ByteReader, _ file: inout ByteReader) throws(ImageFault) -> ImageHeader {
        var header = header
        let isAnimated = try header.byte() & 2 != 0
        try header.skip(3)
        let canvas = Size(width: try header.little(3) + 1, height: try header.little(3) + 1)
        var frames = 0
        var pixels = 0
        while !file.isAtEnd {
            let (name, content) = try chunk(&file)
            if name == "ANMF", isAnimated {
                pixels = pixels.addingSaturating(max(canvas.area, try film(content).area))
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

    /// A frame: its place, its size, how long it stays, and chunks of which one is its image.
    private static func film(_ frame: ByteReader) throws(ImageFault) -> Size {
        var frame = frame
        try frame.skip(6)
        let size = Size(width: try frame.little(3) + 1, height: try frame.little(3) + 1)
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
        let name = try reader.name()
        let length = try reader.little(4)
        let content = try reader.part(length)
        if length % 2 == 1, !reader.isAtEnd { try reader.skip(1) }
        return (name, content)
    }

    /// The size that an image chunk says; nothing where the chunk is of another kind.
    private static func image(_ name: ChunkName, _ content: ByteReader) throws(ImageFault) -> Size? {
        var content = content
        switch name {
        case "VP8 ":
            // RFC 6386, section 9.1: a key frame, the start code, sizes of 14 bits with a scale above them.
            guard try content.byte() & 1 == 0 else { throw .malformed }
            try content.skip(2)
            guard try content.big(3) == 0x9D012A else { throw .malformed }
            let size = Size(width: try content.little(2) & 0x3FFF, height: try content.little(2) & 0x3FFF)
            guard size.width > 0, size.height > 0 else { throw .noPixels }
            return size
        case "VP8L":
            // RFC 9649, section 3.4: a signature, two sizes less one, whether there is alpha, and version 0.
            guard try content.byte() == 0x2F else { throw .malformed }
            let bits = try content.little(4)
            guard bits >> 29 == 0 else { throw .malformed }
            return Size(width: (bits & 0x3FFF) + 1, height: (bits >> 14 & 0x3FFF) + 1)
        default:
            return nil
        }
    }
}
