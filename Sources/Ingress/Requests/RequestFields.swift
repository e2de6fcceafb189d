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
    private(set) var idempotencyKey: String?
    /// All fields of the name, joined by commas; so are the next four.
    private(set) var prefer: String?
    private(set) var ifNoneMatch: String?
    private(set) var contentEncoding: String?
    private(set) var forwardedFor: String?
    private(set) var forwarded: String?
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
            case "content-length":
                // What no number of this machine can hold is more than any limit.
                contentLength = Int(field.value) ?? .max
            case "transfer-encoding": isChunked = true
            case "expect": expectsContinue = field.value.lowercased() == "100-continue"
            case "origin": origin = field.value
            case "x-request-id": requestID = field.value
            case "traceparent":
                // Two of them are as good as none (Trace Context, section 3.2).
                traceparent = traceparent == nil ? field.value : ""
            case "idempotency-key":
                isAmbiguous = isAmbiguous || idempotencyKey != nil
                idempotencyKey = field.value
            case "tracestate": Self.append(field, to: &tracestate)
            case "prefer": Self.append(field, to: &prefer)
            case "if-none-match": Self.append(field, to: &ifNoneMatch)
            case "content-encoding": Self.append(field, to: &contentEncoding)
            case "x-forwarded-for": Self.append(field, to: &forwardedFor)
            case "forwarded": Self.append(field, to: &forwarded)
            case "access-control-request-method": asksMethod = true
            default: break
            }
        }
    }

    /// Several fields of one name are one list (RFC 9110, section 5.3).
    private static func append(_ field: HTTPField, to list: inout String?) {
        list = list.map { "\($0),\(field.value)" } ?? field.value
    }

    /// Whether a body follows the fields.
    var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }
}
