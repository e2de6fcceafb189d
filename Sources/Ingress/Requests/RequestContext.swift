internal import HTTPTypes

/// A request's head, as far as the ingress understands it.
struct IncomingRequest: Sendable {
    let method: HTTPRequest.Method
    /// The path as it was sent, without the query.
    let path: Substring
    /// What follows the question mark; empty where there is none.
    let query: Substring
    let fields: RequestFields
    /// The request's id in logs and answers.
    let id: String
    let trace: TraceContext

    init(_ head: HTTPRequest) {
        method = head.method
        let target = head.path ?? ""
        let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
        path = target[..<mark]
        query = target[mark...].dropFirst()
        fields = RequestFields(head.headerFields)
        id = RequestID.make(fields.requestID)
        trace = TraceContext(traceparent: fields.traceparent, tracestate: fields.tracestate)
    }
}
