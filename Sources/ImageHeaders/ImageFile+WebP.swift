extension ImageFile {
    /// Reads a WebP (RFC 9649, section 2): a RIFF file with one image chunk, or the extended format with a canvas.
    /// Bytes after the RIFF file are no part of the image.
    ///
    /// A chunk of odd size is followed by a padding byte. Some writers do not count the padding of the last chunk as a
    /// part of the RIFF file. In this case the stored file has a length that includes the padding.
    static func webp(_ reader: inout ByteReader, _ pieces: inout FilePieces) throws(ImageFault) -> ImageHeader {
        try reader.skip(4)
        let length = try reader.littleEndian(4)
        var parser = WebPParser(try reader.slice(length))
        let header = try parser.header()
        let (with, without) = (parser.length(keepingMetadata: true), parser.length(keepingMetadata: false))
        if with == length, without == length {
            pieces.keep(0..<12)
        } else {
            pieces.keep(0..<4)
            pieces.add(withMetadata: with.littleEndianBytes, withoutMetadata: without.littleEndianBytes)
            pieces.keep(8..<12)
        }
        pieces.add(parser.pieces)
        return header
    }
}

private struct WebPParser {
    /// The chunks with an effect on how a still image looks.
    private static let neededChunks: Set<ChunkName> = ["VP8 ", "VP8L", "ALPH", "ICCP"]
    /// The chunks with an effect on how a frame of an animation looks.
    private static let frameChunks: Set<ChunkName> = ["VP8 ", "VP8L", "ALPH"]
    /// The flags in the chunk `VP8X` that announce an animation, EXIF and XMP.
    private static let (animationFlag, exifFlag, xmpFlag): (UInt8, UInt8, UInt8) = (0x02, 0x08, 0x04)

    private var file: ByteReader
    /// The pieces of the chunks.
    private(set) var pieces = FilePieces()
    /// The flags in the chunk `VP8X`; 0 in the simple format.
    private var flags: UInt8 = 0
    /// The orientation in the first EXIF chunk, which browsers ignore; `nil` before this chunk, and if no flag
    /// announces it.
    private var orientation: Orientation?

    private var isAnimated: Bool { flags & Self.animationFlag != 0 }

    /// - Parameter file: the RIFF file from the name `WEBP` on.
    init(_ file: ByteReader) {
        self.file = file
    }

    /// Returns the length that a RIFF file with these pieces states.
    func length(keepingMetadata: Bool) -> Int { 4 + pieces.count(keepingMetadata: keepingMetadata) }

    mutating func header() throws(ImageFault) -> ImageHeader {
        try file.skip(4)
        let start = file.position
        let (name, content) = try Self.chunk(&file)
        guard name != "VP8X" else {
            let range = start..<file.position
            let header = try extended(content)
            try prependExtendedHeader(content, range)
            return header
        }
        guard let size = try Self.image(name, content) else { throw .malformed }
        pieces.keepChunk(start..<file.position)
        while !file.isAtEnd { _ = try nextChunk() }
        return try ImageHeader(.webp, size)
    }

    /// Reads the extended format (section 2.7). A still image has the size of the canvas. The frames of an animation
    /// have sizes of their own. A decoder draws each frame on a whole canvas, so each counts with the canvas's area.
    private mutating func extended(_ header: ByteReader) throws(ImageFault) -> ImageHeader {
        var header = header
        flags = try header.byte()
        try header.skip(3)
        let canvas = ImageHeader.Size(width: try header.littleEndian(3) + 1, height: try header.littleEndian(3) + 1)
        var frames = 0
        var pixels = 0
        while !file.isAtEnd {
            let (name, content) = try nextChunk()
            if name == "ANMF", isAnimated {
                try Self.checkFrame(content, on: canvas)
                pixels = pixels.addingSaturating(canvas.area)
                frames += 1
            } else if let size = try Self.image(name, content) {
                guard size == canvas, !isAnimated, frames == 0 else { throw .malformed }
                pixels = size.area
                frames = 1
            }
        }
        guard frames > 0 else { throw .malformed }
        return try ImageHeader(.webp, canvas, frames: frames, pixels: pixels)
    }

    /// Adds the chunk `VP8X` in front of the others. Its flags then announce only the chunks that the file has.
    private mutating func prependExtendedHeader(_ content: ByteReader, _ range: Range<Int>) throws(ImageFault) {
        let place = content.position
        let hasOrientation = orientation?.tiff != nil
        let stored = flags & ~(Self.exifFlag | Self.xmpFlag) | (hasOrientation ? Self.exifFlag : 0)
        var all = FilePieces()
        if stored == flags {
            all.keepChunk(range)
        } else {
            all.keep(range.lowerBound..<place)
            all.metadata(place..<(place + 1), replacement: [stored])
            all.keepChunk((place + 1)..<range.upperBound, start: range.lowerBound)
        }
        all.add(pieces)
        pieces = all
    }

    private mutating func nextChunk() throws(ImageFault) -> (ChunkName, ByteReader) {
        let start = file.position
        let (name, content) = try Self.chunk(&file)
        let range = start..<file.position
        switch name {
        case "ANMF" where isAnimated: try keepFrame(content, range)
        case "ANIM" where isAnimated: pieces.keepChunk(range)
        case "EXIF" where flags & Self.exifFlag != 0 && orientation == nil:
            let found = Orientation(exif: content)
            orientation = found
            pieces.removeChunk(range, replacement: found.tiff.map(Self.exif) ?? [])
        case let name where Self.neededChunks.contains(name): pieces.keepChunk(range)
        default: pieces.removeChunk(range)
        }
        return (name, content)
    }

    /// Keeps a frame with the chunks that belong to its image.
    private mutating func keepFrame(_ frame: ByteReader, _ range: Range<Int>) throws(ImageFault) {
        var content = frame
        var chunks = FilePieces()
        try content.skip(Self.frameHeaderSize)
        while !content.isAtEnd {
            let start = content.position
            let (name, _) = try Self.chunk(&content)
            let range = start..<content.position
            if Self.frameChunks.contains(name) { chunks.keepChunk(range) } else { chunks.removeChunk(range) }
        }
        let (with, without) = (chunks.count(keepingMetadata: true), chunks.count(keepingMetadata: false))
        if with == without, Self.frameHeaderSize + with == frame.remaining { return pieces.keepChunk(range) }
        pieces.keep(range.lowerBound..<(range.lowerBound + 4))
        pieces.add(
            withMetadata: (Self.frameHeaderSize + with).littleEndianBytes,
            withoutMetadata: (Self.frameHeaderSize + without).littleEndianBytes)
        pieces.keep(frame.position..<(frame.position + Self.frameHeaderSize))
        pieces.add(chunks)
    }

    /// The size of the position, the size and the duration at the beginning of a frame.
    private static let frameHeaderSize = 16

    /// Checks an animation frame. It contains its position, size and duration, and chunks of which exactly one is an
    /// image. It must be inside the canvas.
    private static func checkFrame(_ frame: ByteReader, on canvas: ImageHeader.Size) throws(ImageFault) {
        var frame = frame
        // The file has half of each coordinate.
        let (left, top) = (2 * (try frame.littleEndian(3)), 2 * (try frame.littleEndian(3)))
        let size = ImageHeader.Size(width: try frame.littleEndian(3) + 1, height: try frame.littleEndian(3) + 1)
        guard left + size.width <= canvas.width, top + size.height <= canvas.height else { throw .malformed }
        try frame.skip(4)
        var images = 0
        while !frame.isAtEnd {
            let (name, content) = try chunk(&frame)
            guard let found = try image(name, content) else { continue }
            guard found == size else { throw .malformed }
            images += 1
        }
        guard images == 1 else { throw .malformed }
    }

    /// Makes an EXIF chunk.
    private static func exif(_ tiff: [UInt8]) -> [UInt8] {
        Array("EXIF".utf8) + tiff.count.littleEndianBytes + tiff
    }

    private static func chunk(_ reader: inout ByteReader) throws(ImageFault) -> (ChunkName, ByteReader) {
        let name = try reader.chunkName()
        let length = try reader.littleEndian(4)
        let content = try reader.slice(length)
        if length % 2 == 1, !reader.isAtEnd { try reader.skip(1) }
        return (name, content)
    }

    /// Returns the size in an image chunk; `nil` for any other chunk.
    private static func image(_ name: ChunkName, _ content: ByteReader) throws(ImageFault) -> ImageHeader.Size? {
        var content = content
        switch name {
        case "VP8 ":
            // RFC 6386, section 9.1: a key frame, the start code, and two sizes. The 14 lower bits are the size, the
            // upper bits a scale.
            guard try content.byte() & 1 == 0 else { throw .malformed }
            try content.skip(2)
            guard try content.bigEndian(3) == 0x9D012A else { throw .malformed }
            let (width, height) = (try content.littleEndian(2) & 0x3FFF, try content.littleEndian(2) & 0x3FFF)
            guard width > 0, height > 0 else { throw .noPixels }
            return ImageHeader.Size(width: width, height: height)
        case "VP8L":
            // RFC 9649, section 3.4: a signature, both sizes minus 1 with 14 bits each, an alpha bit, and version 0.
            guard try content.byte() == 0x2F else { throw .malformed }
            let bits = try content.littleEndian(4)
            guard bits >> 29 == 0 else { throw .malformed }
            return ImageHeader.Size(width: (bits & 0x3FFF) + 1, height: (bits >> 14 & 0x3FFF) + 1)
        default:
            return nil
        }
    }
}

extension Int {
    /// The lower four bytes.
    fileprivate var littleEndianBytes: [UInt8] { [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: self >> $0) } }
}

extension FilePieces {
    /// Keeps a chunk, or the rest of a chunk, and adds the padding byte if the file lacks it.
    ///
    /// - Parameter start: the position of the chunk; `nil` if the range is the whole chunk.
    fileprivate mutating func keepChunk(_ range: Range<Int>, start: Int? = nil) {
        keep(range)
        if (range.upperBound - (start ?? range.lowerBound)) % 2 == 1 { add([0]) }
    }

    /// Keeps a chunk only if the metadata is kept, and adds the padding byte.
    ///
    /// - Parameter replacement: the chunk that takes its place if the metadata is left out.
    fileprivate mutating func removeChunk(_ range: Range<Int>, replacement: [UInt8] = []) {
        metadata(range, replacement: replacement)
        if range.count % 2 == 1 { add(withMetadata: [0], withoutMetadata: []) }
    }
}
