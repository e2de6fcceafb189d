/// An image file whose structure was read completely, without decoding the image. Reading takes linear time.
///
/// A file that only begins like an image, or whose image is incomplete as far as the structure shows, is an error.
/// Browsers also show images without an end marker, and images with bytes that belong to no part of the image. Such
/// files are read as well: ``stored(keepingMetadata:)`` adds the end marker and leaves out these bytes.
package struct ImageFile: Sendable {
    /// The format, the size and the number of frames.
    package let header: ImageHeader

    private let bytes: [UInt8]
    private let pieces: FilePieces

    /// Reads a JPEG, PNG, GIF, WebP or AVIF file.
    ///
    /// - Parameter bytes: the complete file.
    /// - Throws: ``ImageFault``.
    package init(_ bytes: [UInt8]) throws(ImageFault) {
        self.bytes = bytes
        var reader = ByteReader(bytes)
        var pieces = FilePieces()
        switch try Self.format(of: reader) {
        case .jpg: header = try Self.jpeg(&reader, &pieces)
        case .png: header = try Self.png(&reader, &pieces)
        case .gif: header = try Self.gif(&reader, &pieces)
        case .webp: header = try Self.webp(&reader, &pieces)
        case .avif: header = try Self.avif(&reader, &pieces)
        }
        guard !pieces.isTooFragmented else { throw .malformed }
        self.pieces = pieces
    }

    /// Returns the file to store. It contains only the bytes that were recognized as parts of the image, so it has the
    /// same ``header``, and the same file as its own stored file.
    ///
    /// The compressed image data is copied unchanged. Without metadata, the file keeps its colour profile, its
    /// orientation and its animation, and loses its EXIF, XMP and IPTC data, its comments and its previews.
    ///
    /// - Parameter keepingMetadata: whether the file keeps all metadata.
    package func stored(keepingMetadata: Bool) -> [UInt8] {
        pieces.assembled(from: bytes, keepingMetadata: keepingMetadata)
    }

    private static func format(of reader: ByteReader) throws(ImageFault) -> ImageHeader.Format {
        if reader.begins(with: [0xFF, 0xD8, 0xFF]) { return .jpg }
        if reader.begins(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
        if reader.begins(with: "GIF87a".utf8) || reader.begins(with: "GIF89a".utf8) { return .gif }
        if reader.begins(with: "RIFF".utf8), reader.begins(with: "WEBP".utf8, after: 8) { return .webp }
        if reader.begins(with: "ftyp".utf8, after: 4) { return try avifFormat(of: reader) }
        throw .unknownFormat
    }
}
