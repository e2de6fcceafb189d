internal import NIOHTTP1

/// What a request is for, in one of the forms that a server must take (RFC 9112, section 3.2).
struct RequestTarget: Hashable {
    /// The host that the target itself names.
    let authority: String?
    /// The path with its query; `*` for the server as a whole.
    let path: String

    /// Reads a target.
    init(_ target: String, method: HTTPMethod) throws(RequestHead.Malformed) {
        guard target.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }) else {
            throw RequestHead.Malformed("The request's target has characters that must be percent-encoded.")
        }
        if target.utf8.first == UInt8(ascii: "/") {
            (authority, path) = (nil, target)
        } else if target == "*", method == .OPTIONS {
            (authority, path) = (nil, target)
        } else if let absolute = Self.absolute(target) {
            (authority, path) = absolute
        } else {
            throw RequestHead.Malformed("The request's target is neither a path nor an absolute http address.")
        }
    }

    private static func absolute(_ target: String) -> (authority: String, path: String)? {
        guard let colon = target.utf8.firstIndex(of: UInt8(ascii: ":")),
            ["http", "https"].contains(target[..<colon].lowercased()), target[colon...].utf8.starts(with: "://".utf8)
        else { return nil }
        let rest = Substring(target[colon...].utf8.dropFirst(3))
        let end = rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        let authority = String(rest[..<end])
        guard isAuthority(authority) else { return nil }
        let path = String(rest[end...])
        return (authority, path.utf8.first == UInt8(ascii: "/") ? path : "/" + path)
    }

    /// Whether a text is a host with or without a port: nobody's name before it, and no other delimiter
    /// (RFC 3986, section 3.2).
    static func isAuthority(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-._~%:[]!$&'()*+,;=".utf8.contains(byte)
                }
            }
    }
}
