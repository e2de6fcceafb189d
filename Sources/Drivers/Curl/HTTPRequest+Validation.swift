extension HTTPRequest {
    /// Checks that no part of the request contains characters that would change its meaning on the wire, such as
    /// line ends and NUL.
    ///
    /// - Throws: ``CurlError`` with the code `invalidRequest`.
    func validate() throws(CurlError) {
        guard Self.isToken(method) else { throw CurlError(.invalidRequest, "the method is not a token") }
        guard !url.isEmpty, url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw CurlError(.invalidRequest, "the URL is empty or has spaces or control characters")
        }
        for (name, value) in headers {
            guard Self.isToken(name) else { throw CurlError(.invalidRequest, "a header name is not a token") }
            guard Self.isLine(value) else {
                throw CurlError(.invalidRequest, "a header value has control characters")
            }
        }
        guard case .multipart(let parts) = body else { return }
        for part in parts {
            guard Self.isLine(part.name), Self.isLine(part.fileName ?? ""), Self.isLine(part.contentType ?? "") else {
                throw CurlError(.invalidRequest, "the name, file name or content type of a part has control characters")
            }
        }
    }

    /// Whether a text is a token (RFC 9110, section 5.6.2).
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    private static func isLine(_ text: String) -> Bool {
        text.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7f) || $0 == UInt8(ascii: "\t") }
    }
}
