extension ImageFile {
    /// Reads a GIF (GIF89a specification): the logical screen and the blocks up to the trailer.
    ///
    /// After the first frame, the file may end, or continue with bytes that are no block: the image ends there.
    static func gif(_ reader: inout ByteReader, _ pieces: inout FilePieces) throws(ImageFault) -> ImageHeader {
        try reader.skip(6)
        let screen = ImageHeader.Size(width: try reader.littleEndian(2), height: try reader.littleEndian(2))
        let flags = try reader.byte()
        try reader.skip(2)
        try reader.skipColourTable(flags)
        pieces.keep(0..<reader.position)
        var parser = GIFParser(reader: reader, pieces: pieces, size: screen)
        while !parser.isAtEnd {
            do throws(ImageFault) {
                try parser.readBlock()
            } catch {
                guard parser.frames > 0 else { throw error }
                break
            }
        }
        pieces = parser.pieces
        if !parser.isAtEnd { pieces.add([0x3B]) }
        return try ImageHeader(.gif, parser.size, frames: parser.frames, pixels: parser.pixels)
    }
}

private struct GIFParser {
    private var reader: ByteReader
    private(set) var pieces: FilePieces
    /// The size of the screen. As browsers do, the first frame enlarges it.
    private(set) var size: ImageHeader.Size
    private(set) var frames = 0
    private(set) var pixels = 0
    /// Whether the trailer was read.
    private(set) var isAtEnd = false
    /// The pieces since the last frame. They are left out if the file ends before the next one.
    private var pending = FilePieces()

    init(reader: ByteReader, pieces: FilePieces, size: ImageHeader.Size) {
        self.reader = reader
        self.pieces = pieces
        self.size = size
    }

    mutating func readBlock() throws(ImageFault) {
        let start = reader.position
        switch try reader.byte() {
        case 0x21:
            let label = try reader.byte()
            let content = reader
            try reader.skipSubBlocks()
            keepExtension(label, content, start..<reader.position)
        case 0x2C:
            try readFrame(from: start)
        case 0x3B:
            guard frames > 0 else { throw .malformed }
            flush()
            pieces.keep(start..<reader.position)
            isAtEnd = true
        default:
            throw .malformed
        }
    }

    /// Reads an image (sections 20 to 22): the descriptor, the local colour table, the LZW code size and the data.
    private mutating func readFrame(from start: Int) throws(ImageFault) {
        let (left, top) = (try reader.littleEndian(2), try reader.littleEndian(2))
        let frame = ImageHeader.Size(width: try reader.littleEndian(2), height: try reader.littleEndian(2))
        guard frame.width > 0, frame.height > 0 else { throw .noPixels }
        let flags = try reader.byte()
        try reader.skipColourTable(flags)
        // An LZW code has at most 12 bits. The first codes have one bit more than the code size (appendix F).
        guard (1...11).contains(try reader.byte()) else { throw .malformed }
        let data = reader.position
        let lacksTerminator = try reader.skipSubBlocks(mayLackTerminator: true)
        guard !lacksTerminator || reader.position > data else { throw .truncated }
        flush()
        pieces.keep(start..<reader.position)
        if lacksTerminator { pieces.add([0]) }
        if frames == 0 {
            size.width = max(size.width, left + frame.width)
            size.height = max(size.height, top + frame.height)
        }
        // For each frame a decoder draws the whole screen, or the frame if the frame is larger.
        pixels = pixels.addingSaturating(max(size.area, frame.area))
        frames += 1
    }

    private mutating func flush() {
        pieces.add(pending)
        pending = FilePieces()
    }

    /// Keeps an extension that has an effect on how the image looks: the delay of a frame, the number of repetitions,
    /// or a colour profile. Of the sub-blocks of the first two, only the one that decoders read is kept.
    private mutating func keepExtension(_ label: UInt8, _ content: ByteReader, _ range: Range<Int>) {
        guard let length = Self.neededLength(label, content) else { return pending.metadata(range) }
        let end = min(content.position + length, range.upperBound - 1)
        pending.keep(range.lowerBound..<end)
        pending.metadata(end..<(range.upperBound - 1))
        pending.keep((range.upperBound - 1)..<range.upperBound)
    }

    /// Returns the length of the sub-blocks to keep, without the terminator; `nil` if the extension is metadata.
    private static func neededLength(_ label: UInt8, _ content: ByteReader) -> Int? {
        switch label {
        case 0xF9: content.begins(with: [4]) ? 5 : nil
        case 0xFF where content.begins(with: "\u{B}ICCRGBG1012".utf8): content.remaining
        case 0xFF where ["NETSCAPE2.0", "ANIMEXTS1.0"].contains { content.begins(with: "\u{B}\($0)".utf8) }:
            content.begins(with: [3, 1], after: 12) ? 16 : nil
        default: nil
        }
    }
}

extension ByteReader {
    fileprivate mutating func skipColourTable(_ flags: UInt8) throws(ImageFault) {
        if flags & 0x80 != 0 { try skip(3 << (Int(flags & 7) + 1)) }
    }

    fileprivate mutating func skipSubBlocks() throws(ImageFault) {
        _ = try skipSubBlocks(mayLackTerminator: false)
    }

    /// Skips the sub-blocks and their terminator.
    ///
    /// - Returns: whether the file ends in place of the terminator.
    fileprivate mutating func skipSubBlocks(mayLackTerminator: Bool) throws(ImageFault) -> Bool {
        while true {
            if mayLackTerminator, isAtEnd { return true }
            let count = try byte()
            guard count > 0 else { return false }
            try skip(Int(count))
        }
    }
}
