/// The reason why a file is not a complete image of a known format.
package enum ImageFault: Error, Sendable, Hashable {
    /// The file does not begin like a JPEG, PNG, GIF, WebP or AVIF file.
    case unknownFormat
    /// The file is a HEIC image, which only some systems can show.
    case heic
    /// The file ends before the end of the image.
    case truncated
    /// The file violates its format.
    case malformed
    /// The image or one of its frames has no pixels.
    case noPixels
}
