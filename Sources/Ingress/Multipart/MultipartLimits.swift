/// The maximum sizes of a multipart body.
package struct MultipartLimits: Sendable, Hashable {
    /// The size of the headers of one part in bytes, including line ends and the empty line.
    package var headerBytes: Int
    /// The number of header lines of one part.
    package var headerLines: Int
    /// The number of parts.
    package var parts: Int
    /// The size of the contents of all parts together, in bytes.
    package var bodyBytes: Int
    /// The size of the text before the first part and after the last part together, in bytes.
    package var surroundingBytes: Int

    package init(
        bodyBytes: Int, parts: Int = 16, headerBytes: Int = 8 * 1024, headerLines: Int = 16,
        surroundingBytes: Int = 4 * 1024
    ) {
        self.headerBytes = headerBytes
        self.headerLines = headerLines
        self.parts = parts
        self.bodyBytes = bodyBytes
        self.surroundingBytes = surroundingBytes
    }
}
