/// Upper bounds on what a multipart body may hold.
package struct MultipartLimits: Sendable, Hashable {
    /// The bytes of one part's headers, line ends included.
    package var headerBytes: Int
    /// The header lines of one part.
    package var headerLines: Int
    /// The parts of the body.
    package var parts: Int
    /// The bytes of all parts' contents together.
    package var bodyBytes: Int

    /// Limits for one body.
    ///
    /// - Parameters:
    ///   - bodyBytes: the bytes of all parts' contents together.
    ///   - parts: the number of parts.
    ///   - headerBytes: the bytes of one part's headers, line ends included.
    ///   - headerLines: the header lines of one part.
    package init(bodyBytes: Int, parts: Int = 16, headerBytes: Int = 8 * 1024, headerLines: Int = 16) {
        self.headerBytes = headerBytes
        self.headerLines = headerLines
        self.parts = parts
        self.bodyBytes = bodyBytes
    }
}
