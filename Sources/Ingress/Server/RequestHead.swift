internal import HTTPTypes
internal import NIOHTTP1
internal import NIOHTTPTypesHTTP1

/// The head of a request, validated strictly: a head that a proxy might interpret differently is refused, because the
/// difference would allow request smuggling (RFC 9112, section 11.2).
struct RequestHead {
    /// The fate of the connection after the response.
    enum Persistence: Sendable, Hashable {
        /// It is kept open, which is the default since HTTP/1.1.
        case implicitKeepAlive
        /// It is kept open, and the response must say so, because the client speaks HTTP/1.0.
        case explicitKeepAlive
        /// It is closed, because the client asks for it or wants to upgrade to another protocol.
        case close
    }

    let request: HTTPRequest
    let persistence: Persistence

    /// - Throws: ``MalformedRequest``, or the error of a method that is not a token.
    init(_ head: HTTPRequestHead) throws {
        let isOld = head.version != .http1_1
        try Self.checkFraming(head.headers, isOld: isOld)
        let host = try Self.host(head.headers, isOld: isOld)
        let target = try RequestTarget(head.uri, method: head.method)
        request = HTTPRequest(
            method: try HTTPRequest.Method(head.method), scheme: "http", authority: target.authority ?? host,
            path: target.path, headerFields: Self.fields(head.headers, isOld: isOld))
        if !head.isKeepAlive || head.headers.contains(name: "Upgrade") {
            persistence = .close
        } else {
            persistence = isOld ? .explicitKeepAlive : .implicitKeepAlive
        }
    }

    /// Requires an unambiguous body length: at most one length or transfer coding, and no transfer coding in HTTP/1.0
    /// (RFC 9112, sections 6.1 to 6.3).
    private static func checkFraming(_ headers: HTTPHeaders, isOld: Bool) throws(MalformedRequest) {
        let codings = headers["Transfer-Encoding"]
        let lengths = headers["Content-Length"]
        guard codings.count + lengths.count <= 1 else {
            throw MalformedRequest("The request must not have more than one Content-Length or Transfer-Encoding field.")
        }
        if let coding = codings.first {
            guard !isOld else { throw MalformedRequest("An HTTP/1.0 request must not have a Transfer-Encoding field.") }
            guard coding.lowercased() == "chunked" else {
                throw MalformedRequest("The Transfer-Encoding must be chunked.")
            }
        }
    }

    /// Requires exactly one `Host` field; only HTTP/1.0 may omit it (RFC 9112, section 3.2).
    private static func host(_ headers: HTTPHeaders, isOld: Bool) throws(MalformedRequest) -> String? {
        let hosts = headers["Host"]
        guard hosts.count == 1 || (isOld && hosts.isEmpty) else {
            throw MalformedRequest("The request must have exactly one Host field.")
        }
        guard let host = hosts.first else { return nil }
        guard RequestTarget.isAuthority(host) else {
            throw MalformedRequest("The Host field must be a host name or address with an optional port.")
        }
        return host
    }

    private static func fields(_ headers: HTTPHeaders, isOld: Bool) -> HTTPFields {
        var fields = HTTPFields(headers, splitCookie: false)
        // A server must ignore 100-continue in an HTTP/1.0 request (RFC 9110, section 10.1.1).
        if isOld { fields[.expect] = nil }
        return fields
    }
}
