/// The size of an AVIF image after cropping, and whether it is rotated.
struct AVIFTransforms {
    private let full: ImageHeader.Size
    /// The size after cropping, before rotation.
    private(set) var size: ImageHeader.Size
    /// Whether the image is rotated by 90 or 270 degrees.
    private(set) var isRotated = false

    init(_ size: ImageHeader.Size) {
        full = size
        self.size = size
    }

    /// Applies a property of the image. A property that does not change the size has no effect.
    mutating func apply(_ property: MediaBox) throws(ImageFault) {
        var content = property.content
        switch property.type {
        case "irot":
            let quarters = try content.byte()
            guard quarters <= 3 else { throw .malformed }
            isRotated = quarters % 2 == 1
        case "clap": size = try Self.cropped(full, content)
        default: break
        }
    }

    /// Returns the size after cropping (ISO/IEC 14496-12, section 12.1.4).
    ///
    /// As Chromium does, it ignores an area that is not a part of the image, whose edges are not integers, or that does
    /// not begin at the top left corner.
    private static func cropped(_ full: ImageHeader.Size, _ content: ByteReader) throws(ImageFault) -> ImageHeader.Size
    {
        var content = content
        func fraction() throws(ImageFault) -> (numerator: Int, denominator: Int) {
            let numerator = Int(Int32(truncatingIfNeeded: try content.bigEndian(4)))
            return (numerator, Int(Int32(truncatingIfNeeded: try content.bigEndian(4))))
        }
        let (width, height) = (try fraction(), try fraction())
        let (across, down) = (try fraction(), try fraction())
        guard [width, height, across, down].allSatisfy({ $0.denominator > 0 }),
            width.numerator % width.denominator == 0, height.numerator % height.denominator == 0
        else { return full }
        let size = ImageHeader.Size(
            width: width.numerator / width.denominator, height: height.numerator / height.denominator)
        guard (1...full.width).contains(size.width), (1...full.height).contains(size.height),
            2 * across.numerator == (size.width - full.width) * across.denominator,
            2 * down.numerator == (size.height - full.height) * down.denominator
        else { return full }
        return size
    }
}
