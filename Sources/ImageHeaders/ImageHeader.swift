/// The format, the size and the number of frames of an image file.
package struct ImageHeader: Sendable, Hashable {
    /// A known image format.
    package enum Format: String, Sendable, Hashable {
        case jpg, png, gif, webp, avif

        /// The media type.
        package var contentType: String { self == .jpg ? "image/jpeg" : "image/\(rawValue)" }
    }

    /// The format, detected from the first bytes.
    package let format: Format
    /// The width in pixels, at least 1. It is the width that a browser shows, after rotation and cropping.
    package let width: Int
    /// The height in pixels, at least 1.
    package let height: Int
    /// The number of frames, 1 if the image is not animated.
    package let frames: Int
    /// The number of pixels that a decoder processes for all frames together, clamped to `Int.max`. A frame of a GIF
    /// counts with its own area or the area of the image, whichever is larger. A frame of a WebP must be inside the
    /// image, and counts with the area of the image.
    package let pixels: Int

    /// Reads the structure of an image file, see ``ImageFile``.
    ///
    /// - Parameter bytes: the complete file.
    /// - Throws: ``ImageFault``.
    package init(_ bytes: [UInt8]) throws(ImageFault) {
        self = try ImageFile(bytes).header
    }

    /// - Parameter pixels: the pixels of all frames; `nil` means the size multiplied by the number of frames.
    init(
        _ format: Format, _ size: Size, orientation: Orientation = .upright, frames: Int = 1, pixels: Int? = nil
    ) throws(ImageFault) {
        guard size.width > 0, size.height > 0, frames > 0 else { throw .noPixels }
        let shown = orientation.swapsAxes ? Size(width: size.height, height: size.width) : size
        self.format = format
        width = shown.width
        height = shown.height
        self.frames = frames
        self.pixels = pixels ?? size.area.multipliedSaturating(by: frames)
    }

    /// A width and a height in pixels.
    struct Size: Hashable {
        var width: Int
        var height: Int

        var area: Int { width.multipliedSaturating(by: height) }
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
