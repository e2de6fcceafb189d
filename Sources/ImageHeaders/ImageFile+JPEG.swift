extension ImageFile {
    /// Reads a JPEG (ITU T.81, annex B): the segments up to the end of the image. Entropy-coded data follows each start
    /// of a scan.
    ///
    /// As libjpeg does, the parser skips bytes between segments that are no marker. After the first scan, the file may
    /// end, or continue with bytes that are no part of a JPEG: the image ends there.
    static func jpeg(_ reader: inout ByteReader, _ pieces: inout FilePieces) throws(ImageFault) -> ImageHeader {
        try reader.skip(2)
        pieces.keep(0..<2)
        var parser = JPEGParser(reader: reader, pieces: pieces)
        while !parser.isAtEnd {
            do throws(ImageFault) {
                try parser.readSegment()
            } catch {
                guard parser.hasScan else { throw error }
                break
            }
        }
        pieces = parser.pieces
        if !parser.isAtEnd { pieces.add([0xFF, 0xD9]) }
        return try parser.header()
    }
}

private struct JPEGParser {
    var reader: ByteReader
    var pieces: FilePieces
    private(set) var hasScan = false
    /// Whether the end marker was read.
    private(set) var isAtEnd = false
    /// Whether restart markers divide the entropy-coded data.
    private var hasRestarts = false
    private var size: ImageHeader.Size?
    /// The orientation in the first EXIF segment; `nil` before this segment.
    private var orientation: Orientation?

    init(reader: ByteReader, pieces: FilePieces) {
        self.reader = reader
        self.pieces = pieces
    }

    func header() throws(ImageFault) -> ImageHeader {
        guard let size, hasScan else { throw .malformed }
        return try ImageHeader(.jpg, size, orientation: orientation ?? .upright)
    }

    /// Reads the next marker, and the segment and the entropy-coded data that belong to it.
    mutating func readSegment() throws(ImageFault) {
        try reader.seekMarker { $0 == 0x00 }
        let start = reader.position
        try reader.skip(1)
        switch try reader.byte() {
        case 0xD9:  // end of image
            isAtEnd = true
            pieces.keep(start..<reader.position)
        case 0x01, 0xD0...0xD7:  // Markers without a segment. They have no effect outside of a scan.
            break
        case 0xC0...0xC3, 0xC9...0xCB:  // start of frame
            // A second frame header is refused, because decoders could disagree about which size is valid.
            guard size == nil else { throw .malformed }
            size = try frame(try segment())
            pieces.keep(start..<reader.position)
        case 0xDA:  // start of scan
            guard size != nil else { throw .malformed }
            _ = try segment()
            guard hasScan || !reader.isAtEnd else { throw .truncated }
            hasScan = true
            // FF 00 stands for a data byte FF, and restart markers are inside the data (section B.1.1.5). A decoder
            // that expects a restart marker skips reserved markers.
            let hasRestarts = hasRestarts
            reader.skipToMarkerOrEnd {
                $0 == 0x00 || (0xD0...0xD7).contains($0) || (hasRestarts && $0 < 0xC0)
            }
            pieces.keep(start..<reader.position)
        case 0xDD:  // restart interval (section B.2.4.4)
            var interval = try segment()
            hasRestarts = try interval.bigEndian(2) > 0
            pieces.keep(start..<reader.position)
        case 0xC4, 0xCC, 0xDB, 0xDC:  // tables and miscellaneous segments (section B.2.4)
            _ = try segment()
            pieces.keep(start..<reader.position)
        case let code where (0xE0...0xEF).contains(code) || code == 0xFE:  // application data, comment
            try readApplicationData(code, from: start)
        default:
            // A reserved marker, a hierarchical frame or the start of another image. Decoders also reject these.
            throw .malformed
        }
    }

    /// Reads a segment that no decoder needs for the pixels. Decoders ignore a length that is too small.
    private mutating func readApplicationData(_ code: UInt8, from start: Int) throws(ImageFault) {
        var length = reader
        guard try length.bigEndian(2) >= 2 else {
            reader = length
            return
        }
        let content = try segment()
        let range = start..<reader.position
        if code == 0xE1, content.begins(with: "Exif\0".utf8), content.remaining >= 6, !hasScan, orientation == nil {
            var tiff = content
            try tiff.skip(6)
            let found = Orientation(tiff: tiff)
            orientation = found
            pieces.metadata(range, replacement: found.tiff.map(Self.exif) ?? [])
        } else if code == 0xE0, content.begins(with: "JFIF\0".utf8), content.remaining > Self.jfifSize {
            pieces.metadata(range, replacement: try Self.jfifWithoutPreview(content))
        } else if Self.isNeeded(code, content) {
            pieces.keep(range)
        } else {
            pieces.metadata(range)
        }
    }

    /// Returns whether a segment has an effect on how the image looks: JFIF, a colour profile, or Adobe's colour
    /// transform.
    private static func isNeeded(_ code: UInt8, _ content: ByteReader) -> Bool {
        switch code {
        case 0xE0: content.begins(with: "JFIF\0".utf8)
        case 0xE2: content.begins(with: "ICC_PROFILE\0".utf8)
        case 0xEE: content.begins(with: "Adobe".utf8)
        default: false
        }
    }

    /// The size of the content of a JFIF segment that has no preview (ITU T.871, section 10.1).
    private static let jfifSize = 14

    private static func jfifWithoutPreview(_ content: ByteReader) throws(ImageFault) -> [UInt8] {
        var content = content
        // The last two bytes are the width and the height of the preview.
        return [0xFF, 0xE0, 0, UInt8(jfifSize + 2)] + (try content.bytes(jfifSize - 2)) + [0, 0]
    }

    /// Makes an EXIF segment.
    private static func exif(_ tiff: [UInt8]) -> [UInt8] {
        [0xFF, 0xE1, 0, UInt8(tiff.count + 8)] + Array("Exif\0\0".utf8) + tiff
    }

    /// Reads a segment. Its length includes the two bytes of the length itself.
    private mutating func segment() throws(ImageFault) -> ByteReader {
        let length = try reader.bigEndian(2)
        guard length >= 2 else { throw .malformed }
        return try reader.slice(length - 2)
    }

    /// Reads the size in a frame header (section B.2.2). A height of 0 is an error, although a later segment could
    /// define the height.
    private func frame(_ segment: ByteReader) throws(ImageFault) -> ImageHeader.Size {
        var segment = segment
        try segment.skip(1)
        let height = try segment.bigEndian(2)
        let width = try segment.bigEndian(2)
        let components = try segment.byte()
        guard (1...4).contains(components), segment.remaining == 3 * Int(components) else { throw .malformed }
        guard width > 0, height > 0 else { throw .noPixels }
        return ImageHeader.Size(width: width, height: height)
    }
}
