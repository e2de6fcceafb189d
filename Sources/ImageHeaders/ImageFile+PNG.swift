extension ImageFile {
    /// Reads a PNG (third edition): the header chunk, other chunks and image data up to the end chunk.
    ///
    /// After the first image data, the file may end, or continue with bytes that are no chunk: the image ends there. If
    /// it ends inside the data of a later frame, this frame is removed, and the animation has one frame less. If it
    /// ends exactly between two chunks of this data, the frame stays, because only decompression could tell that data
    /// is missing.
    static func png(_ reader: inout ByteReader, _ pieces: inout FilePieces) throws(ImageFault) -> ImageHeader {
        try reader.skip(8)
        let size = try pngHeader(&reader)
        pieces.keep(0..<reader.position)
        var parser = PNGParser(reader: reader, pieces: pieces)
        while !parser.isAtEnd {
            do throws(ImageFault) {
                try parser.readChunk()
            } catch {
                guard parser.hasData, !parser.lacksData else { throw error }
                break
            }
        }
        if !parser.isAtEnd { parser.end() }
        pieces = parser.allPieces
        return try ImageHeader(
            .png, size, orientation: parser.orientation ?? .upright,
            frames: max(parser.announcedFrames, parser.frameControls))
    }

    /// Reads the header chunk (section 11.2.1) and verifies its CRC.
    private static func pngHeader(_ reader: inout ByteReader) throws(ImageFault) -> ImageHeader.Size {
        guard try reader.bigEndian(4) == 13 else { throw .malformed }
        var checked = reader
        guard try reader.chunkName() == "IHDR" else { throw .malformed }
        let size = ImageHeader.Size(width: try reader.bigEndian(4), height: try reader.bigEndian(4))
        let depth = try reader.byte()
        let colour = try reader.byte()
        let (compression, filter, interlace) = (try reader.byte(), try reader.byte(), try reader.byte())
        guard pngDepths(colour).contains(depth), compression == 0, filter == 0, interlace <= 1,
            try reader.bigEndian(4) == Int(PNGChecksum.of(checked.slice(17)))
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
}

private struct PNGParser {
    /// The chunk `IEND` with its CRC.
    private static let endChunk: [UInt8] = [0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]

    /// The chunks with an effect on how the image looks, including the animation.
    private static let neededChunks: Set<ChunkName> = [
        "PLTE", "IDAT", "tRNS", "cHRM", "gAMA", "iCCP", "sBIT", "sRGB", "cICP", "mDCV", "mDCv", "cLLI", "cLLi", "bKGD",
        "hIST", "pHYs", "sPLT",
    ]

    /// Chunks that are kept or left out together.
    private struct Group {
        var pieces = FilePieces()
        /// The number of control chunks of frames.
        var controls = 0

        mutating func add(_ other: Group) {
            pieces.add(other.pieces)
            controls += other.controls
        }
    }

    /// The first control chunk of an animation, which states the number of frames.
    private struct Animation {
        /// The pieces before the chunk.
        let before: FilePieces
        var chunk = FilePieces()
        /// The part of the chunk's content after the number of frames.
        let rest: [UInt8]
    }

    private var reader: ByteReader
    /// The pieces after the control chunk of the animation if there is one, otherwise all pieces.
    private var pieces: FilePieces
    private var animation: Animation?
    private(set) var hasData = false
    /// Whether the last chunk is image data that is cut off.
    private(set) var lacksData = false
    /// Whether the file ends inside an `fdAT` chunk.
    private var lacksFrameData = false
    /// Whether the end chunk was read.
    private(set) var isAtEnd = false
    private(set) var announcedFrames = 1
    private(set) var frameControls = 0
    /// The orientation in the first valid EXIF chunk; `nil` before this chunk.
    private(set) var orientation: Orientation?
    /// A later frame: its control chunk, its data, and the metadata between them. It is left out if the file ends
    /// inside its data.
    private var frame = Group()
    /// Metadata and the control chunk of a frame. They are left out if the file ends before more image data.
    private var pending = Group()

    init(reader: ByteReader, pieces: FilePieces) {
        self.reader = reader
        self.pieces = pieces
    }

    mutating func readChunk() throws(ImageFault) {
        let start = reader.position
        (lacksData, lacksFrameData) = (false, endsLikeFrameData)
        let length = try reader.bigEndian(4)
        var checked = reader
        let name = try reader.chunkName()
        (lacksData, lacksFrameData) = (name == "IDAT", name == "fdAT")
        var content = try reader.slice(length)
        lacksData = false
        if name == "IDAT", reader.remaining < 4 {
            keep(start..<reader.position)
            pieces.add(PNGChecksum.bytes(of: try checked.slice(length + 4)))
            hasData = true
            throw .truncated
        }
        let checksum = try reader.bigEndian(4)
        lacksFrameData = false
        let range = start..<reader.position
        switch name {
        case "IEND":
            guard hasData else { throw .malformed }
            flush()
            if range.count == Self.endChunk.count, checksum == 0xAE42_6082 {
                pieces.keep(range)
            } else {
                pieces.add(Self.endChunk)
            }
            isAtEnd = true
        case "fcTL":
            flush()
            pending.pieces.keep(range)
            pending.controls += 1
        case "acTL":
            announcedFrames = max(announcedFrames, try content.bigEndian(4))
            guard animation == nil else { return keep(range) }
            flush()
            animation = Animation(before: pieces, rest: try content.bytes(content.remaining))
            animation?.chunk.keep(range)
            pieces = FilePieces()
        case "fdAT":
            frame.add(pending)
            frame.pieces.keep(range)
            pending = Group()
        case "eXIf":
            guard !hasData, orientation == nil, try checksum == Int(PNGChecksum.of(checked.slice(length + 4))) else {
                pending.pieces.metadata(range)
                return
            }
            let found = Orientation(tiff: content)
            orientation = found
            pending.pieces.metadata(range, replacement: found.tiff.map { Self.chunk("eXIf", $0) } ?? [])
        case let name where Self.neededChunks.contains(name):
            if name == "IDAT" { hasData = true }
            keep(range)
        default:
            // A decoder must reject an unknown critical chunk (section 5.4).
            guard !name.isCritical else { throw .malformed }
            pending.pieces.metadata(range)
        }
    }

    private mutating func keep(_ range: Range<Int>) {
        flush()
        pieces.keep(range)
    }

    /// Ends a file that has no end chunk. If it announces more frames than it has, the number is corrected.
    mutating func end() {
        pending = Group()
        if lacksFrameData { frame = Group() }
        flush()
        pieces.add(Self.endChunk)
        guard let animation, announcedFrames > frameControls else { return }
        announcedFrames = max(1, frameControls)
        self.animation?.chunk = FilePieces()
        // A control chunk cannot announce zero frames.
        guard frameControls > 0 else { return }
        self.animation?.chunk.add(Self.chunk("acTL", Self.bigEndian(frameControls) + animation.rest))
    }

    /// All pieces of the file.
    var allPieces: FilePieces {
        guard let animation else { return pieces }
        var all = animation.before
        all.add(animation.chunk)
        all.add(pieces)
        return all
    }

    /// Whether the file ends inside the header of a chunk that may be `fdAT`. A chunk of length 0 is none. With one to
    /// three bytes, the chunk may be of any kind, so a whole last frame is removed, too.
    private var endsLikeFrameData: Bool {
        var rest = reader
        guard (1..<8).contains(reader.remaining), let bytes = try? rest.bytes(reader.remaining) else { return false }
        guard bytes.count >= 4 else { return true }
        return bytes.prefix(4) != [0, 0, 0, 0] && "fdAT".utf8.starts(with: bytes.dropFirst(4))
    }

    private mutating func flush() {
        frame.add(pending)
        pieces.add(frame.pieces)
        frameControls += frame.controls
        (frame, pending) = (Group(), Group())
    }

    /// Makes a chunk.
    private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let checked = Array(name.utf8) + content
        return bigEndian(content.count) + checked + PNGChecksum.bytes(of: ByteReader(checked))
    }

    private static func bigEndian(_ number: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}

/// The CRC-32 of a chunk's name and content (section 5.3 and annex D of the specification).
private enum PNGChecksum {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
    }

    /// Returns the CRC of the remaining bytes.
    static func of(_ reader: ByteReader) throws(ImageFault) -> UInt32 {
        var reader = reader
        var crc = ~UInt32(0)
        while !reader.isAtEnd { crc = table[Int(UInt8(truncatingIfNeeded: crc) ^ (try reader.byte()))] ^ (crc >> 8) }
        return ~crc
    }

    /// Returns the CRC of the remaining bytes as a chunk contains it.
    static func bytes(of reader: ByteReader) -> [UInt8] {
        let crc = (try? of(reader)) ?? 0
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: crc >> $0) }
    }
}

extension ChunkName {
    /// Whether a decoder needs the chunk (section 5.4).
    fileprivate var isCritical: Bool { code & 0x2000_0000 == 0 }
}
