internal import HTTPTypes
internal import NIOHTTP1
internal import NIOHTTPTypesHTTP1

/// The head of a request as it came, read strictly: what a proxy on the way may have read otherwise is refused, so that
/// nobody smuggles a request past it (RFC 9112, section 11.2).
struct RequestHead {
    /// What is wrong with a head.
    struct Malformed: Error, Hashable {
        /// One sentence for the client.
        let detail: String

        init(_ detail: String) {
            self.detail = detail
        }
    }

    /// What becomes of the connection after the answer.
    enum Persistence: Sendable, Hashable {
        /// It stays, as is usual from HTTP/1.1 on.
        case implied
        /// It stays, and the answer has to say so: the client speaks HTTP/1.0.
        case told
        /// It ends: the client wants it so, or wants to go on in another protocol.
        case none
    }

    let request: HTTPRequest
    let persistence: Persistence

    /// - Throws: ``Malformed``, or the error of a method that is none.
    init(_ head: HTTPRequestHead) throws {
        let isOld = head.version != .http1_1
        try Self.checkFraming(head.headers, isOld: isOld)
        let host = try Self.host(head.headers, isOld: isOld)
        let target = try RequestTarget(head.uri, method: head.method)
        request = HTTPRequest(
            method: try HTTPRequest.Method(head.method), scheme: "http", authority: target.authority ?? host,
            path: target.path, headerFields: Self.fields(head.headers, isOld: isOld))
        if !head.isKeepAlive || head.headers.contains(name: "Upgrade") {
            persistence = .none
        } else {
            persistence = isOld ? .told : .implied
        }
    }

    /// One length or one coding, and none that an HTTP/1.0 proxy does not know (RFC 9112, sections 6.1 to 6.3).
    private static func checkFraming(_ headers: HTTPHeaders, isOld: Bool) throws(Malformed) {
        let codings = headers["Transfer-Encoding"]
        let lengths = headers["Content-Length"]
        guard codings.count + lengths.count <= 1 else {
            throw Malformed("The request says more than once how long its body is.")
        }
        if let coding = codings.first {
            guard !isOld else { throw Malformed("A request of HTTP/1.0 must not have a Transfer-Encoding.") }
            guard coding.lowercased() == "chunked" else {
                throw Malformed("The Transfer-Encoding must be chunked and nothing else.")
            }
        }
    }

    /// Exactly one, save from HTTP/1.0 (RFC 9112, section 3.2).
    private static func host(_ headers: HTTPHeaders, isOld: Bool) throws(Malformed) -> String? {
        let hosts = headers["Host"]
        guard hosts.count == 1 || (isOld && hosts.isEmpty) else {
            throw Malformed("The request must have one Host field.")
        }
        guard let host = hosts.first else { return nil }
        guard RequestTarget.isAuthority(host) else { throw Malformed("The Host field names no host.") }
        return host
    }

    private static func fields(_ headers: HTTPHeaders, isOld: Bool) -> HTTPFields {
        var fields = HTTPFields(headers, splitCookie: false)
        // HTTP/1.0 knows no `100 Continue` (RFC 9110, section 10.1.1).
        if isOld { fields[.expect] = nil }
        return fields
    }
}
