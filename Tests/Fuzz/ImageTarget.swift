import FoundationEssentials
import ImageHeaders

/// The fuzz target for images, which clients upload.
enum ImageTarget {
    /// Parses an input as an image.
    ///
    /// - Returns: a description of the failure; `nil` if the input is refused, or accepted with a size above zero.
    static func failure(in input: [UInt8]) -> String? {
        guard let header = try? ImageHeader(input) else { return nil }
        guard header.width > 0, header.height > 0, header.frames > 0, header.pixels > 0 else {
            return "an image without pixels is accepted"
        }
        // No image has only eight bytes, so the truncated input must be refused.
        return (try? ImageHeader(Array(input.prefix(8)))) == nil ? nil : "an image of eight bytes is accepted"
    }

    /// Images of two pixels each: one of each format, and animations.
    static let seeds: [[UInt8]] = [
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAD0lEQVR4nGP8z8DAwMAAAAYIAQHLR3Z1AAAAAElFTkSuQmCC",
        "R0lGODdhAgABAIEAAP8AAAAAAAAAAAAAACwAAAAAAgABAAAIBQABAAgIADs=",
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wAALCAABAAIBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAv/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AL//Z",
        "UklGRhwAAABXRUJQVlA4TA8AAAAvAQAAAAcQ/Y/+ByKi/wEA",
        "UklGRjIAAABXRUJQVlA4ICYAAABwAQCdASoCAAEADMDOJaACdAFAAAD+3FHSXS5Df6u/O36ntgAAAA==",
        "R0lGODlhAgABAIAAAAAAAAAAACH/C05FVFNDQVBFMi4wAwEAAAAh+QQAAwAAACwAAAAAAgABAAAIBQABAAgIADs=",
        "UklGRrIAAABXRUJQVlA4WAoAAAACAAAAAQAAAAAAQU5JTQYAAAAAAAAAAABBTk1GJgAAAAAAAAAAAAEAAAAAAAAAAAJWUDhMDgAAAC8BAAAABxAR/Q9ERP8DQU5NRigAAAAAAAAAAAABAAAAAAAAAAAAVlA4TA8AAAAvAQAAAAcQhYr+ByKi/wEAQU5NRigAAAAAAAAAAAABAAAAAAAAAAAAVlA4TA8AAAAvAQAAAAcQBY3+ByKi/wEA",
    ].map { text in Data(base64Encoded: text).map { [UInt8]($0) } ?? [] }

    static let dictionary: [[UInt8]] = [
        [0xFF, 0xD8, 0xFF], [0xFF, 0xC0], [0xFF, 0xDA], [0xFF, 0xD9], [0xFF, 0xFF], [0x3B], [0x2C], [0x21, 0xF9],
        [0x21, 0xFF], Array("IHDR".utf8), Array("IDAT".utf8), Array("IEND".utf8), Array("acTL".utf8),
        Array("fcTL".utf8),
        Array("RIFF".utf8), Array("WEBP".utf8), Array("VP8 ".utf8), Array("VP8L".utf8), Array("VP8X".utf8),
        Array("ANMF".utf8), [0, 0, 0, 13], [0xFF, 0xFF, 0xFF, 0xFF],
    ]
}
