/// The format, the size and the number of frames of an image file.
///
/// They are read from the structure of the whole file, without decoding the image. A file that is truncated, or that
/// only begins like an image, is an error. Reading takes linear time.
package struct ImageHeader: Sendable, Hashable {
    /// A known image format.
    package enum Format: String, Sendable, Hashable {
        case jpg, png, gif, webp

        /// The media type.
        package var contentType: String { self == .jpg ? "image/jpeg" : "image/\(rawValue)" }
    }

    /// The format, detected from the first bytes.
    package let format: Format
    /// The width in pixels, at least 1.
    package let width: Int
    /// The height in pixels, at least 1.
    package let height: Int
    /// The number of frames, 1 if the image is not animated.
    package let frames: Int
    /// The number of pixels of all frames together, clamped to `Int.max`. In an animated GIF or WebP file, a frame
    /// counts with its own area or the area of the image, whichever is larger.
    package let pixels: Int

    /// Reads the structure of a JPEG, PNG, GIF or WebP file.
    ///
    /// - Parameter bytes: the complete file.
    /// - Throws: ``ImageFault``.
    package init(_ bytes: [UInt8]) throws(ImageFault) {
        var reader = ByteReader(bytes)
        switch Self.format(of: reader) {
        case .jpg: self = try Self.jpeg(&reader)
        case .png: self = try Self.png(&reader)
        case .gif: self = try Self.gif(&reader)
        case .webp: self = try Self.webp(&reader)
        case nil: throw .unknownFormat
        }
    }

    /// - Parameter pixels: the pixels of all frames; `nil` means the size multiplied by the number of frames.
    init(_ format: Format, _ size: Size, frames: Int = 1, pixels: Int? = nil) throws(ImageFault) {
        guard size.width > 0, size.height > 0, frames > 0 else { throw .noPixels }
        self.format = format
        width = size.width
        height = size.height
        self.frames = frames
        self.pixels = pixels ?? size.area.multipliedSaturating(by: frames)
    }

    /// A width and a height in pixels.
    struct Size: Hashable {
        let width: Int
        let height: Int

        var area: Int { width.multipliedSaturating(by: height) }
    }

    private static func format(of reader: ByteReader) -> Format? {
        if reader.begins(with: [0xFF, 0xD8, 0xFF]) { return .jpg }
        if reader.begins(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
        if reader.begins(with: "GIF87a".utf8) || reader.begins(with: "GIF89a".utf8) { return .gif }
        if reader.begins(with: "RIFF".utf8), reader.begins(with: "WEBP".utf8, after: 8) { return .webp }
        return nil
    }
}

extension Int {
    /// Returns the product of two integers that are not negative, clamped to `Int.max`.
    func multipliedSaturating(by other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }

    /// Returns the sum of two integers that are not negative, clamped to `Int.max`.
    func addingSaturating(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
