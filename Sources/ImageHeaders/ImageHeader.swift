/// What the structure of an image file says: its format, its size in pixels and how many frames it has.
///
/// The whole structure is walked, from the signature to the end, and nothing is decoded: a file that is cut off, or that
/// only begins like an image, has no header. A pure function of the bytes; it takes time in proportion to their number.
package struct ImageHeader: Sendable, Hashable {
    /// The formats that are known.
    package enum Format: String, Sendable, Hashable, CaseIterable {
        case jpg, png, gif, webp

        /// The media type.
        package var contentType: String { self == .jpg ? "image/jpeg" : "image/\(rawValue)" }
    }

    /// Told by the first bytes, and by nothing else.
    package let format: Format
    /// In pixels, as the height; at least 1, as all numbers here.
    package let width: Int
    package let height: Int
    /// How many pictures are shown one after another; 1 where nothing moves.
    package let frames: Int
    /// What whoever decodes the image must hold or draw: the pixels of all frames together, or the largest number there is.
    package let pixels: Int

    /// Reads the structure of a JPEG, PNG, GIF or WebP file.
    ///
    /// - Parameter bytes: the whole file.
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

    /// - Parameter pixels: of all frames, where that is not simply their number times the size.
    init(_ format: Format, _ size: Size, frames: Int = 1, pixels: Int? = nil) throws(ImageFault) {
        guard size.width > 0, size.height > 0, frames > 0 else { throw .noPixels }
        self.format = format
        width = size.width
        height = size.height
        self.frames = frames
        self.pixels = pixels ?? size.area.multipliedSaturating(by: frames)
    }

    /// A width and a height.
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
    /// The product, or the largest number where it is larger still; both factors are at least 0.
    func multipliedSaturating(by other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }

    /// The sum, or the largest number where it is larger still; both are at least 0.
    func addingSaturating(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
