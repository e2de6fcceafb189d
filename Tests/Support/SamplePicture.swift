import Foundation

/// Valid images of 16 by 9 pixels, one of each format, and functions that make other images.
public enum SamplePicture {
    /// A PNG of two colours.
    public static let png = bytes(
        "iVBORw0KGgoAAAANSUhEUgAAABAAAAAJAQAAAAATUZGfAAAAI0lEQVR4nGMUKGF0fcL0WJIp9hKDxkIGJxFGTUkm6WeMQsUAYv8Gylous84A"
            + "AAAASUVORK5CYII=")
    /// A GIF of one frame.
    public static let gif = bytes(
        "R0lGODdhEAAJAIEAAP8AAAAAAAAAAAAAACwAAAAAEAAJAAAIFgABCBxIsKDBgwgTKlzIsKHDhxARBgQAOw==")
    /// A baseline JPEG.
    public static let jpeg = bytes(
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////////////"
            + "////////////wAALCAAJABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAL/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oACAEBAAA/AJAf"
            + "/9k=")
    /// A JPEG of several scans.
    public static let progressiveJPEG = bytes(
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////////////"
            + "////////////wgALCAAJABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAH/2gAIAQEAAAABg//EABQQAQAAAAAAAAAAAAAAAAAAACD/"
            + "2gAIAQEAAQUCH//EABQQAQAAAAAAAAAAAAAAAAAAACD/2gAIAQEABj8CH//EABQQAQAAAAAAAAAAAAAAAAAAACD/2gAIAQEAAT8hH//a"
            + "AAgBAQAAABAP/8QAFBABAAAAAAAAAAAAAAAAAAAAIP/aAAgBAQABPxAf/9k=")
    /// A lossy WebP in the simple format.
    public static let lossyWebP = bytes(
        "UklGRjIAAABXRUJQVlA4ICYAAABwAQCdASoQAAkADMDOJaACdAFAAAD+3FHSXS5Df6u/O36ntgAAAA==")
    /// A lossless WebP in the simple format.
    public static let losslessWebP = bytes("UklGRhwAAABXRUJQVlA4TA8AAAAvDwACAAcQ/Y/+ByKi/wEA")
    /// A WebP in the extended format, with alpha.
    public static let extendedWebP = bytes(
        "UklGRlwAAABXRUJQVlA4WAoAAAAQAAAADwAACAAAQUxQSA8AAAABDzBkERHi/v8R/Q///wEAVlA4ICYAAABwAQCdASoQAAkADMDOJaACdAFA"
            + "AAD+3FHSXS5Df6u/O36ntgAAAA==")

    /// All images with their media types.
    public static let all: [(bytes: [UInt8], type: String)] = [
        (png, "image/png"), (gif, "image/gif"), (jpeg, "image/jpeg"), (progressiveJPEG, "image/jpeg"),
        (lossyWebP, "image/webp"), (losslessWebP, "image/webp"), (extendedWebP, "image/webp"),
        (avif, "image/avif"),
    ]

    private static func bytes(_ base64: String) -> [UInt8] { Array(Data(base64Encoded: base64) ?? Data()) }

    // MARK: PNG

    /// The signature of PNG files.
    public static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// Makes a PNG with a valid structure and this size in its header, without valid image data.
    public static func png(width: UInt32, height: UInt32, extra: [UInt8] = [], data: Int = 12) -> [UInt8] {
        pngSignature + pngHeader(width: width, height: height) + extra
            + pngChunk("IDAT", [UInt8](repeating: 0x5A, count: data)) + pngChunk("IEND", [])
    }

    /// Makes the header chunk `IHDR`.
    public static func pngHeader(width: UInt32, height: UInt32, rest: [UInt8] = [8, 2, 0, 0, 0]) -> [UInt8] {
        pngChunk("IHDR", big(width) + big(height) + rest)
    }

    /// Makes a chunk with its length and its CRC.
    public static func pngChunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let body = Array(name.utf8) + content
        return big(UInt32(content.count)) + body + big(crc32(body))
    }

    /// Encodes a number in four bytes, big-endian.
    public static func big(_ value: UInt32) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc = ~UInt32(0)
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }

    // MARK: GIF

    /// Makes a GIF with this screen size and frames of these sizes, without valid image data.
    public static func gif(width: UInt16, height: UInt16, frames: [(UInt16, UInt16)]) -> [UInt8] {
        var file = Array("GIF89a".utf8) + little(width) + little(height) + [0, 0, 0]
        for (width, height) in frames {
            file += [0x21, 0xF9, 4, 0, 0, 0, 0, 0]
            file += [0x2C, 0, 0, 0, 0] + little(width) + little(height) + [0, 2, 1, 0x5A, 0]
        }
        return file + [0x3B]
    }

    /// Encodes a number in two bytes, little-endian.
    public static func little(_ value: UInt16) -> [UInt8] { [UInt8(truncatingIfNeeded: value), UInt8(value >> 8)] }

    // MARK: JPEG

    /// Makes a JPEG with a valid structure and this size in its header, without valid image data.
    public static func jpeg(width: UInt16, height: UInt16, scan: [UInt8] = [0x5A]) -> [UInt8] {
        let (high, wide) = (Array(little(height).reversed()), Array(little(width).reversed()))
        return [0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8] + high + wide + [1, 1, 0x11, 0]
            + [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0x3F, 0] + scan + [0xFF, 0xD9]
    }

    // MARK: WebP

    /// Makes a WebP file of chunks, in the RIFF format.
    public static func webP(_ chunks: [UInt8]) -> [UInt8] {
        webPChunk("RIFF", Array("WEBP".utf8) + chunks)
    }

    /// Makes a chunk with its length and its padding.
    public static func webPChunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let length = Array(big(UInt32(content.count)).reversed())
        return Array(name.utf8) + length + content + (content.count % 2 == 1 ? [0] : [])
    }

    /// Makes a lossless image chunk with this size in its header.
    public static func webPImage(width: UInt32, height: UInt32) -> [UInt8] {
        webPChunk("VP8L", [0x2F] + Array(big((width - 1) | (height - 1) << 14).reversed()) + [0x5A])
    }

    /// Makes the chunk of the extended format with the canvas's size.
    public static func webPCanvas(width: UInt32, height: UInt32, isAnimated: Bool) -> [UInt8] {
        webPChunk("VP8X", [isAnimated ? 2 : 0, 0, 0, 0] + three(width - 1) + three(height - 1))
    }

    /// Makes a frame of an animation.
    public static func webPFrame(width: UInt32, height: UInt32, image: [UInt8]) -> [UInt8] {
        webPChunk("ANMF", [0, 0, 0, 0, 0, 0] + three(width - 1) + three(height - 1) + [0, 0, 0, 0] + image)
    }

    private static func three(_ value: UInt32) -> [UInt8] { Array(big(value).reversed().prefix(3)) }
}
