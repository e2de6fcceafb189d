/// The boundary of a multipart/form-data body, a parameter of the request's Content-Type (RFC 2046 §5.1.1).
package struct MultipartBoundary: Sendable, Hashable {
    /// The boundary's 1 to 70 characters, without the leading hyphens.
    package let bytes: [UInt8]

    /// Parses the boundary from a Content-Type header.
    ///
    /// - Parameter contentType: the header's value, such as `multipart/form-data; boundary=abc`.
    /// - Throws: `notMultipart` for another type, `malformedContentType`, `missingBoundary`, `duplicateBoundary`, or
    ///   `invalidBoundary` if it is not 1 to 70 of the characters that the RFC allows.
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
    /// - Throws: `invalidBoundary` if they are not 1 to 70 of the characters that the RFC allows, or end in a space.
    package init(bytes: [UInt8]) throws(MultipartError) {
        guard (1...70).contains(bytes.count), bytes.allSatisfy(Self.isBoundaryByte), bytes.last != UInt8(ascii: " ")
        else { throw .invalidBoundary }
        self.bytes = bytes
    }

    private static func hasMultipartType(_ contentType: String) -> Bool {
        contentType.prefix { $0 != ";" }.lowercased() == "multipart/form-data"
    }

    private static func isBoundaryByte(_ byte: UInt8) -> Bool {
        byte.isLetterOrDigit || "'()+_,-./:=? ".utf8.contains(byte)
    }

    // Clients send boundaries with a slash or an equals sign unquoted, although these are not token characters. A
    // comma is not accepted, because two headers joined by a comma must not be read as one boundary.
    private static func isUnquotedByte(_ byte: UInt8) -> Bool {
        byte.isToken || "()/:=?".utf8.contains(byte)
    }
}
