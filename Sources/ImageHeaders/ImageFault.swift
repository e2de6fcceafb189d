/// Why bytes are no image that is taken.
package enum ImageFault: Error, Sendable, Hashable, CaseIterable {
    /// They begin as none of the four formats does.
    case unknownFormat
    /// They end before the image does.
    case truncated
    /// They break a rule of their format, or go on where it has ended.
    case malformed
    /// The image, or a frame of it, has no pixels.
    case noPixels
}
