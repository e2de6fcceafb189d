internal import HTTPTypes

/// The fields of a request that the ingress looks at, taken out in one pass.
struct RequestFields: Sendable {
    private(set) var authorization: String?
    private(set) var contentType: String?
    private(set) var contentLength: Int?
    private(set) var origin: String?
    private(set) var requestID: String?
    private(set) var traceparent: String?
    private(set) var tracestate: String?
    /// Whether the body comes in chunks of unknown number.
    private(set) var isChunked = false
    /// Whether the client waits for `100 Continue` before it sends the body.
    private(set) var expectsContinue = false
    /// Whether it has `Access-Control-Request-Method`.
    private(set) var asksMethod = false
    /// Whether a field that counts once is there twice: which one would count, nobody can say.
    private(set) var isAmbiguous = false

    init(_ fields: HTTPFields) {
        for field in fields {
            switch field.name.canonicalName {
            case "authorization":
                isAmbiguous = isAmbiguous || authorization != nil
                authorization = field.value
            case "content-type":
                isAmbiguous = isAmbiguous || contentType != nil
                contentType = field.value
            case "content-length": contentLength = Int(field.value)
            case "transfer-encoding": isChunked = true
            case "expect": expectsContinue = field.value.lowercased() == "100-continue"
            case "origin": origin = field.value
            case "x-request-id": requestID = field.value
            case "traceparent":
                // Two of them are as good as none (Trace Context, section 3.2).
                traceparent = traceparent == nil ? field.value : ""
            case "tracestate": tracestate = tracestate.map { "\($0),\(field.value)" } ?? field.value
            case "access-control-request-method": asksMethod = true
            default: break
            }
        }
    }

    /// Whether a body follows the fields.
    var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }
}
