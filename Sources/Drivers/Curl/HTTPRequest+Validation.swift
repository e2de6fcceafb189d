internal import ASCII

extension HTTPRequest {
    /// Checks that no part of the request contains characters that would change its meaning on the wire, such as
    /// line ends and NUL.
    ///
    /// - Throws: ``CurlError`` with the code `invalidRequest`.
    func validate() throws(CurlError) {
        guard Self.isToken(method) else { throw CurlError(.invalidRequest, "the method is not a token") }
        guard !url.isEmpty, url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw CurlError(.invalidRequest, "the URL is empty, or contains spaces or control characters")
        }
        for (name, value) in headers {
            guard Self.isToken(name) else { throw CurlError(.invalidRequest, "a header name is not a token") }
            guard Self.isPrintable(value) else {
                throw CurlError(.invalidRequest, "a header value contains control characters")
            }
        }
        guard case .multipart(let parts) = body else { return }
        for part in parts {
            guard Self.isPrintable(part.name), Self.isPrintable(part.fileName ?? ""),
                Self.isPrintable(part.contentType ?? "")
            else {
                throw CurlError(
                    .invalidRequest, "the name, file name or content type of a part contains control characters")
            }
        }
    }

    /// Whether a text is a token (RFC 9110, section 5.6.2).
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(\.isToken)
    }

    /// Whether a text contains no control characters except tabs.
    private static func isPrintable(_ text: String) -> Bool {
        text.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7f) || $0 == UInt8(ascii: "\t") }
    }
}
