/// Real PNGs, made on the spot (PNG specification, sections 5 and 11; RFC 1950 and 1951 for their content).
enum Picture {
    /// A picture of 8 by 8 pixels of one random colour.
    static func png() -> [UInt8] {
        var pixels: [UInt8] = []
        let colour = (0..<3).map { _ in UInt8.random(in: 0...255) }
        for _ in 0..<8 {
            pixels.append(0)
            for _ in 0..<8 { pixels += colour }
        }
        let length = UInt16(pixels.count)
        // zlib's header and one stored block: its length and the complement, low byte first.
        var stream: [UInt8] = [0x78, 0x01, 0x01]
        for part in [length, ~length] {
            stream += [UInt8(truncatingIfNeeded: part), UInt8(truncatingIfNeeded: part >> 8)]
        }
        stream += pixels + big(adler32(pixels))
        var file: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
        file += chunk("IHDR", big(8) + big(8) + [8, 2, 0, 0, 0])
        file += chunk("IDAT", stream)
        file += chunk("IEND", [])
        return file
    }

    private static func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + content
        var chunk = big(UInt32(content.count))
        chunk += body
        chunk += big(crc32(body))
        return chunk
    }

    private static func big(_ value: UInt32) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc = ~UInt32(0)
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xedb8_8320 : crc >> 1 }
        }
        return ~crc
    }

    private static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        return b << 16 | a
    }
}
