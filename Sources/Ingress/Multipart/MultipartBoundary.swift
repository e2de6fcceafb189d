internal import ASCII

/// The boundary of a multipart/form-data body. It is a parameter of the request's Content-Type (RFC 2046 §5.1.1).
package struct MultipartBoundary: Sendable, Hashable {
    /// The boundary's 1 to 70 characters, without the two hyphens that precede it in the body.
    package let bytes: [UInt8]

    /// Parses the boundary from a Content-Type header.
    ///
    /// - Parameter contentType: the header's value, such as `multipart/form-data; boundary=abc`.
    /// - Throws: `notMultipart` if the type is not multipart/form-data, `malformedContentType`, `missingBoundary`,
    ///   `duplicateBoundary`, or `invalidBoundary` if the boundary does not consist of 1 to 70 allowed characters or if
    ///   it ends in a space.
    package init(contentType: String) throws(MultipartError) {
        guard let value = HeaderValue(contentType.utf8, unquoted: Self.isUnquotedByte) else {
            guard Self.hasMultipartType(contentType) else { throw .notMultipart }
            throw .malformedContentType
        }
        guard value.type == "multipart/form-data" else { throw .notMultipart }
        let boundaries = value.parameters.filter { $0.name == "boundary" }
        guard let boundary = boundaries.first?.value else { throw .missingBoundary }
        guard boundaries.count == 1 else { throw .duplicateBoundary }
        try self.init(bytes: boundary)
    }

    /// Makes a boundary from its characters.
    ///
    /// - Throws: `invalidBoundary` if their number is not 1 to 70, if the RFC does not allow one of them, or if the
    ///   last one is a space.
    package init(bytes: [UInt8]) throws(MultipartError) {
        guard (1...70).contains(bytes.count), bytes.allSatisfy(Self.isBoundaryByte), bytes.last != UInt8(ascii: " ")
        else { throw .invalidBoundary }
        self.bytes = bytes
    }

    private static func hasMultipartType(_ contentType: String) -> Bool {
        contentType.prefix { $0 != ";" }.lowercased() == "multipart/form-data"
    }

    private static func isBoundaryByte(_ byte: UInt8) -> Bool {
        byte.isASCIILetterOrDigit || "'()+_,-./:=? ".utf8.contains(byte)
    }

    // Clients send boundaries with a slash or an equals sign unquoted, although these are not token characters. A
    // comma is not accepted, because two headers joined by a comma must not be read as one boundary.
    private static func isUnquotedByte(_ byte: UInt8) -> Bool {
        byte.isToken || "()/:=?".utf8.contains(byte)
    }
}
