internal import HTTPTypes
internal import NIOHTTP1

/// The validated head of a request. A head that a proxy might interpret differently is refused, because a difference
/// would allow request smuggling (RFC 9112, section 11.2). It is an object, so that it is cheap to pass on.
final class RequestHead: Sendable {
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

    let method: HTTPRequest.Method
    /// The path with the query; `*` for the server as a whole.
    let path: String
    let fields: RequestFields
    let persistence: Persistence

    init(_ head: HTTPRequestHead) throws(MalformedRequest) {
        let isHTTP10 = head.version != .http1_1
        fields = RequestFields(head.headers, isHTTP10: isHTTP10)
        try Self.checkFraming(fields, isHTTP10: isHTTP10)
        try Self.checkHost(fields, isHTTP10: isHTTP10)
        path = try RequestTarget(head.uri, method: head.method).path
        method = try Self.method(head.method)
        if !head.isKeepAlive || fields.hasUpgrade {
            persistence = .close
        } else {
            persistence = isHTTP10 ? .explicitKeepAlive : .implicitKeepAlive
        }
    }

    /// Requires an unambiguous body length: at most one `Content-Length` or `Transfer-Encoding` field, and no
    /// `Transfer-Encoding` in HTTP/1.0 (RFC 9112, sections 6.1 to 6.3).
    private static func checkFraming(_ fields: RequestFields, isHTTP10: Bool) throws(MalformedRequest) {
        guard fields.framingFieldCount <= 1 else {
            throw MalformedRequest(
                "The request must not have two Content-Length or Transfer-Encoding fields, or one of each.")
        }
        if let coding = fields.transferEncoding {
            guard !isHTTP10 else {
                throw MalformedRequest("An HTTP/1.0 request must not have a Transfer-Encoding field.")
            }
            guard coding.lowercased() == "chunked" else {
                throw MalformedRequest("The Transfer-Encoding must be chunked.")
            }
        }
    }

    /// Requires exactly one `Host` field. Only an HTTP/1.0 request may omit it (RFC 9112, section 3.2).
    private static func checkHost(_ fields: RequestFields, isHTTP10: Bool) throws(MalformedRequest) {
        guard fields.hostCount == 1 || (isHTTP10 && fields.hostCount == 0) else {
            throw MalformedRequest("The request must have exactly one Host field.")
        }
        guard let host = fields.host else { return }
        guard RequestTarget.isAuthority(host) else {
            throw MalformedRequest("The Host field must be a host name or address with an optional port.")
        }
    }

    private static func method(_ method: HTTPMethod) throws(MalformedRequest) -> HTTPRequest.Method {
        switch method {
        case .GET: return .get
        case .HEAD: return .head
        case .POST: return .post
        case .DELETE: return .delete
        case .OPTIONS: return .options
        default:
            guard let method = HTTPRequest.Method(method.rawValue) else {
                throw MalformedRequest("The method must be a token.")
            }
            return method
        }
    }
}
