internal import ASCII
internal import NIOHTTP1

/// The target of a request, in one of the forms that a server must accept (RFC 9112, section 3.2).
struct RequestTarget: Hashable {
    /// The path with the query; `*` for the server as a whole.
    let path: String

    /// Parses a target.
    ///
    /// - Throws: ``MalformedRequest`` for a target that is neither a path nor an absolute http or https URL.
    init(_ target: String, method: HTTPMethod) throws(MalformedRequest) {
        guard target.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }) else {
            throw MalformedRequest("The request target contains characters that must be percent-encoded.")
        }
        if target.utf8.first == UInt8(ascii: "/") {
            path = target
        } else if target == "*", method == .OPTIONS {
            path = target
        } else if let absolute = Self.path(ofAbsolute: target) {
            path = absolute
        } else {
            throw MalformedRequest("The request target must be a path or an absolute http or https URL.")
        }
    }

    /// Returns the path of an http or https URL; `nil` for any other target.
    private static func path(ofAbsolute target: String) -> String? {
        guard let colon = target.utf8.firstIndex(of: UInt8(ascii: ":")),
            ["http", "https"].contains(target[..<colon].lowercased()), target[colon...].utf8.starts(with: "://".utf8)
        else { return nil }
        let rest = Substring(target[colon...].utf8.dropFirst(3))
        let end = rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        let authority = String(rest[..<end])
        guard isAuthority(authority) else { return nil }
        let path = String(rest[end...])
        return path.utf8.first == UInt8(ascii: "/") ? path : "/" + path
    }

    /// Returns whether a text has only characters that a host with an optional port may have. A user name is not
    /// allowed (RFC 3986, section 3.2).
    static func isAuthority(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0.isASCIILetterOrDigit || "-._~%:[]!$&'()*+,;=".utf8.contains($0) }
    }
}
