internal import HTTPTypes

/// The fields of a request that the ingress uses, collected in one pass.
struct RequestFields: Sendable {
    private(set) var authorization: String?
    private(set) var contentType: String?
    private(set) var contentLength: Int?
    private(set) var origin: String?
    private(set) var requestID: String?
    private(set) var traceparent: String?
    /// All `tracestate` fields, joined by commas.
    private(set) var tracestate: String?
    private(set) var idempotencyKey: String?
    /// All `Prefer` fields, joined by commas. The fields of the next four properties are joined in the same way.
    private(set) var prefer: String?
    private(set) var ifNoneMatch: String?
    private(set) var contentEncoding: String?
    private(set) var forwardedFor: String?
    private(set) var forwarded: String?
    /// Whether the request has a `Transfer-Encoding`. The length of its body is then unknown.
    private(set) var isChunked = false
    /// Whether the client waits for `100 Continue` before it sends the body.
    private(set) var expectsContinue = false
    /// Whether the request has `Access-Control-Request-Method`, which a CORS preflight request has.
    private(set) var hasAccessControlRequestMethod = false
    /// Whether a field occurs twice that must occur only once. Such a request is ambiguous, because a proxy may use one
    /// of the two values and the ingress the other.
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
                // A number that does not fit into an Int exceeds every limit.
                contentLength = Int(field.value) ?? .max
            case "transfer-encoding": isChunked = true
            case "expect": expectsContinue = field.value.lowercased() == "100-continue"
            case "origin": origin = field.value
            case "x-request-id": requestID = field.value
            case "traceparent":
                // Two traceparent fields are as invalid as an empty one (Trace Context, section 3.2).
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
            case "access-control-request-method": hasAccessControlRequestMethod = true
            default: break
            }
        }
    }

    /// Appends a field to the list of the fields with the same name (RFC 9110, section 5.3).
    private static func append(_ field: HTTPField, to list: inout String?) {
        list = list.map { "\($0),\(field.value)" } ?? field.value
    }

    /// Whether the request has a body.
    var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }
}
