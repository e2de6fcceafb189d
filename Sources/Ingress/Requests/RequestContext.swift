internal import HTTPTypes

/// The head of one request and the address of its client, parsed once for all later steps.
struct RequestContext: Sendable {
    let method: HTTPRequest.Method
    /// The path as sent, without the query.
    let path: Substring
    /// The part after the question mark; empty if there is none.
    let query: Substring
    let fields: RequestFields
    /// The request's id in the log and in `X-Request-Id`.
    let id: String
    let trace: TraceContext
    /// The client: the connection's peer, unless a trusted proxy names another address.
    let client: ClientAddress

    /// - Parameters:
    ///   - head: the request's head.
    ///   - peer: the other end of the connection.
    ///   - proxies: the proxies whose forwarding fields determine the client.
    init(_ head: RequestHead, peer: ClientAddress, trusting proxies: TrustedProxies = TrustedProxies()) {
        method = head.method
        let questionMark = head.path.utf8.firstIndex(of: UInt8(ascii: "?")) ?? head.path.endIndex
        path = head.path[..<questionMark]
        query = head.path[questionMark...].dropFirst()
        fields = head.fields
        id = RequestID.make(from: fields.requestID)
        trace = TraceContext(traceparent: fields.traceparent, tracestate: fields.tracestate)
        client = proxies.client(behind: peer, fields)
    }
}
