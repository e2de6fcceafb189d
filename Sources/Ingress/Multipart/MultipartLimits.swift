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

    package init(bodyBytes: Int, parts: Int = 16, headerBytes: Int = 8 * 1024, headerLines: Int = 16) {
        self.headerBytes = headerBytes
        self.headerLines = headerLines
        self.parts = parts
        self.bodyBytes = bodyBytes
    }
}
