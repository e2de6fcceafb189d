internal import HTTPTypes
internal import NIOHTTP1
internal import NIOHTTPTypesHTTP1

/// The validated head of a request. A head that a proxy might interpret differently is refused, because a difference
/// would allow request smuggling (RFC 9112, section 11.2).
struct RequestHead {
    /// Whether the connection is kept open after the response.
    enum Persistence: Sendable, Hashable {
        /// The connection is kept open, which is the default in HTTP/1.1.
        case implicitKeepAlive
        /// The connection is kept open, and the response must have `Connection: keep-alive`, because the client uses
        /// HTTP/1.0.
        case explicitKeepAlive
        /// The connection is closed, because the client asked for this or wants to upgrade to another protocol.
        case close
    }

    let request: HTTPRequest
    let persistence: Persistence

    /// - Throws: ``MalformedRequest``, or `HTTP1TypeConversionError` if the method is not a token.
    init(_ head: HTTPRequestHead) throws {
        let isHTTP10 = head.version != .http1_1
        try Self.checkFraming(head.headers, isHTTP10: isHTTP10)
        let host = try Self.host(head.headers, isHTTP10: isHTTP10)
        let target = try RequestTarget(head.uri, method: head.method)
        request = HTTPRequest(
            method: try HTTPRequest.Method(head.method), scheme: "http", authority: target.authority ?? host,
            path: target.path, headerFields: Self.fields(head.headers, isHTTP10: isHTTP10))
        if !head.isKeepAlive || head.headers.contains(name: "Upgrade") {
            persistence = .close
        } else {
            persistence = isHTTP10 ? .explicitKeepAlive : .implicitKeepAlive
        }
    }

    /// Requires an unambiguous body length: at most one `Content-Length` or `Transfer-Encoding` field, and no
    /// `Transfer-Encoding` in HTTP/1.0 (RFC 9112, sections 6.1 to 6.3).
    private static func checkFraming(_ headers: HTTPHeaders, isHTTP10: Bool) throws(MalformedRequest) {
        let codings = headers["Transfer-Encoding"]
        let lengths = headers["Content-Length"]
        guard codings.count + lengths.count <= 1 else {
            throw MalformedRequest(
                "The request must not have two Content-Length or Transfer-Encoding fields, or one of each.")
        }
        if let coding = codings.first {
            guard !isHTTP10 else {
                throw MalformedRequest("An HTTP/1.0 request must not have a Transfer-Encoding field.")
            }
            guard coding.lowercased() == "chunked" else {
                throw MalformedRequest("The Transfer-Encoding must be chunked.")
            }
        }
    }

    /// Requires exactly one `Host` field. Only an HTTP/1.0 request may omit it (RFC 9112, section 3.2).
    private static func host(_ headers: HTTPHeaders, isHTTP10: Bool) throws(MalformedRequest) -> String? {
        let hosts = headers["Host"]
        guard hosts.count == 1 || (isHTTP10 && hosts.isEmpty) else {
            throw MalformedRequest("The request must have exactly one Host field.")
        }
        guard let host = hosts.first else { return nil }
        guard RequestTarget.isAuthority(host) else {
            throw MalformedRequest("The Host field must be a host name or address with an optional port.")
        }
        return host
    }

    private static func fields(_ headers: HTTPHeaders, isHTTP10: Bool) -> HTTPFields {
        var fields = HTTPFields(headers, splitCookie: false)
        // A server must ignore 100-continue in an HTTP/1.0 request (RFC 9110, section 10.1.1).
        if isHTTP10 { fields[.expect] = nil }
        return fields
    }
}
