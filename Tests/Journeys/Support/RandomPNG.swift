import TestSupport

/// Valid PNG files with random content, so that two uploads differ.
enum RandomPNG {
    /// Makes an image of 8 by 8 pixels in one random colour (RFC 1950 and 1951 for the compressed data).
    static func make() -> [UInt8] {
        var pixels: [UInt8] = []
        let colour = (0..<3).map { _ in UInt8.random(in: 0...255) }
        for _ in 0..<8 {
            pixels.append(0)
            for _ in 0..<8 { pixels += colour }
        }
        let length = UInt16(pixels.count)
        // The header of the zlib stream, and one stored block: its first byte, its length and the complement of the
        // length, low byte first.
        var stream: [UInt8] = [0x78, 0x01, 0x01]
        stream += SamplePicture.little(length) + SamplePicture.little(~length)
        stream += pixels + SamplePicture.big(adler32(pixels))
        return SamplePicture.pngSignature + SamplePicture.pngHeader(width: 8, height: 8)
            + SamplePicture.pngChunk("IDAT", stream) + SamplePicture.pngChunk("IEND", [])
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
