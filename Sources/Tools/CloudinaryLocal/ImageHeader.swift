/// What the first bytes of an image say: its format and its size in pixels.
struct ImageHeader: Sendable, Equatable {
    enum Format: String, Sendable {
        case jpg, png, gif, webp

        var contentType: String { self == .jpg ? "image/jpeg" : "image/\(rawValue)" }
    }

    let format: Format
    let width: Int
    let height: Int

    /// Reads the header of a JPEG, PNG, GIF or WebP file; nil for any other bytes, or an image without pixels.
    init?(_ bytes: [UInt8]) {
        let reader = ByteReader(bytes: bytes)
        let found: (Format, Int, Int)?
        if reader.holds([0xFF, 0xD8, 0xFF], at: 0) {
            found = Self.jpeg(reader).map { (.jpg, $0, $1) }
        } else if reader.holds([0x89] + Array("PNG\r\n".utf8) + [0x1A, 0x0A], at: 0) {
            found = Self.png(reader).map { (.png, $0, $1) }
        } else if reader.holds("GIF87a".utf8, at: 0) || reader.holds("GIF89a".utf8, at: 0) {
            found = reader.pair(at: 6, reader.little16).map { (.gif, $0, $1) }
        } else if reader.holds("RIFF".utf8, at: 0), reader.holds("WEBP".utf8, at: 8) {
            found = Self.webp(reader).map { (.webp, $0, $1) }
        } else {
            found = nil
        }
        guard let (format, width, height) = found, width > 0, height > 0 else { return nil }
        self.format = format
        self.width = width
        self.height = height
    }

    /// PNG, third edition, §11.2.1: the header chunk comes first.
    private static func png(_ reader: ByteReader) -> (Int, Int)? {
        guard reader.holds("IHDR".utf8, at: 12), let width = reader.big32(16), let height = reader.big32(20)
        else { return nil }
        return (width, height)
    }

    /// ITU T.81 §B.2: segments up to the frame header; the marker bytes C4, C8 and CC begin no frame.
    private static func jpeg(_ reader: ByteReader) -> (Int, Int)? {
        var position = 2
        while reader.byte(position) == 0xFF, let marker = reader.byte(position + 1) {
            switch marker {
            case 0xFF:
                position += 1
            case 0x01, 0xD0...0xD7:
                position += 2
            case 0xC0...0xCF where ![0xC4, 0xC8, 0xCC].contains(marker):
                guard let height = reader.big16(position + 5), let width = reader.big16(position + 7) else {
                    return nil
                }
                return (width, height)
            case 0xD8, 0xD9, 0xDA:
                return nil
            default:
                guard let length = reader.big16(position + 2), length >= 2 else { return nil }
                position += 2 + length
            }
        }
        return nil
    }

    /// RFC 9649 §2.5 to §2.7: simple lossy, simple lossless, extended.
    private static func webp(_ reader: ByteReader) -> (Int, Int)? {
        if reader.holds("VP8X".utf8, at: 12), let width = reader.little24(24), let height = reader.little24(27) {
            return (width + 1, height + 1)
        }
        if reader.holds("VP8L".utf8, at: 12), reader.byte(20) == 0x2F, let bits = reader.little32(21) {
            return ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        }
        if reader.holds("VP8 ".utf8, at: 12), reader.holds([0x9D, 0x01, 0x2A], at: 23),
            let (width, height) = reader.pair(at: 26, reader.little16)
        {
            return (width & 0x3FFF, height & 0x3FFF)
        }
        return nil
    }
}

/// Reads numbers at offsets, nil past the end.
private struct ByteReader {
    let bytes: [UInt8]

    func byte(_ offset: Int) -> UInt8? { bytes.indices.contains(offset) ? bytes[offset] : nil }

    func holds(_ wanted: some Collection<UInt8>, at offset: Int) -> Bool {
        bytes.count >= offset + wanted.count && bytes[offset...].starts(with: wanted)
    }

    func big16(_ offset: Int) -> Int? { number(offset..<offset + 2) }
    func big32(_ offset: Int) -> Int? { number(offset..<offset + 4) }
    func little16(_ offset: Int) -> Int? { number((offset..<offset + 2).reversed()) }
    func little24(_ offset: Int) -> Int? { number((offset..<offset + 3).reversed()) }
    func little32(_ offset: Int) -> Int? { number((offset..<offset + 4).reversed()) }

    func pair(at offset: Int, _ read: (Int) -> Int?) -> (Int, Int)? {
        guard let first = read(offset), let second = read(offset + 2) else { return nil }
        return (first, second)
    }

    private func number(_ offsets: some Sequence<Int>) -> Int? {
        var value = 0
        for offset in offsets {
            guard let byte = byte(offset) else { return nil }
            value = value << 8 | Int(byte)
        }
        return value
    }
}
