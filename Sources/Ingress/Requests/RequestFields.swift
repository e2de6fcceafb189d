internal import NIOHTTP1

/// The fields of a request that the ingress uses, collected in one pass.
struct RequestFields: Sendable {
    private(set) var authorization: String?
    private(set) var contentType: String?
    private(set) var contentLength: Int?
    private(set) var transferEncoding: String?
    private(set) var host: String?
    private(set) var origin: String?
    private(set) var requestID: String?
    private(set) var traceparent: String?
    /// All `tracestate` fields, joined by commas.
    private(set) var tracestate: String?
    private(set) var idempotencyKey: String?
    /// All `Prefer` fields, joined by commas. The fields of the next six properties are joined in the same way.
    private(set) var prefer: String?
    private(set) var ifNoneMatch: String?
    private(set) var ifMatch: String?
    private(set) var acceptEncoding: String?
    private(set) var contentEncoding: String?
    private(set) var forwardedFor: String?
    private(set) var forwarded: String?
    /// The number of `Host` fields.
    private(set) var hostCount = 0
    /// The number of `Content-Length` and `Transfer-Encoding` fields together.
    private(set) var framingFieldCount = 0
    /// Whether the client waits for `100 Continue` before it sends the body.
    private(set) var expectsContinue = false
    /// Whether the request has `Access-Control-Request-Method`, which a CORS preflight request has.
    private(set) var hasAccessControlRequestMethod = false
    /// Whether the client wants to upgrade to another protocol.
    private(set) var hasUpgrade = false
    /// Whether a field occurs twice that must occur only once. Such a request is ambiguous, because a proxy may use one
    /// of the two values and the ingress the other.
    private(set) var isAmbiguous = false

    /// - Parameters:
    ///   - headers: the fields as sent.
    ///   - isHTTP10: whether the request has the version HTTP/1.0 or less. A server must then ignore 100-continue
    ///     (RFC 9110, section 10.1.1).
    init(_ headers: HTTPHeaders = [:], isHTTP10: Bool = false) {
        for (name, value) in headers { add(FieldName(name), value) }
        if isHTTP10 { expectsContinue = false }
    }

    private mutating func add(_ name: FieldName, _ value: String) {
        // Most names are told apart by their lengths, so that few comparisons are necessary.
        switch name.length {
        case 4 where name == "host":
            host = value
            hostCount += 1
        case 6 where name == "origin": origin = value
        case 6 where name == "expect": expectsContinue = value.lowercased() == "100-continue"
        case 6 where name == "prefer": Self.append(value, to: &prefer)
        case 7 where name == "upgrade": hasUpgrade = true
        case 8 where name == "if-match": Self.append(value, to: &ifMatch)
        case 9 where name == "forwarded": Self.append(value, to: &forwarded)
        case 10 where name == "tracestate": Self.append(value, to: &tracestate)
        case 11 where name == "traceparent":
            // Two traceparent fields are as invalid as an empty one (Trace Context, section 3.2).
            traceparent = traceparent == nil ? value : ""
        case 12 where name == "content-type":
            isAmbiguous = isAmbiguous || contentType != nil
            contentType = value
        case 12 where name == "x-request-id": requestID = value
        case 13 where name == "authorization":
            isAmbiguous = isAmbiguous || authorization != nil
            authorization = value
        case 13 where name == "if-none-match": Self.append(value, to: &ifNoneMatch)
        case 14 where name == "content-length":
            // A number that does not fit into an Int exceeds every limit.
            contentLength = Int(value) ?? .max
            framingFieldCount += 1
        case 15 where name == "accept-encoding": Self.append(value, to: &acceptEncoding)
        case 15 where name == "idempotency-key":
            isAmbiguous = isAmbiguous || idempotencyKey != nil
            idempotencyKey = value
        case 15 where name == "x-forwarded-for": Self.append(value, to: &forwardedFor)
        case 16 where name == "content-encoding": Self.append(value, to: &contentEncoding)
        case 17 where name == "transfer-encoding":
            transferEncoding = value
            framingFieldCount += 1
        case 29 where name == "access-control-request-method": hasAccessControlRequestMethod = true
        default: break
        }
    }

    /// Appends a field to the list of the fields with the same name (RFC 9110, section 5.3).
    private static func append(_ value: String, to list: inout String?) {
        list = list.map { "\($0),\(value)" } ?? value
    }

    /// Whether the request has a `Transfer-Encoding`. The length of its body is then unknown.
    var isChunked: Bool { transferEncoding != nil }
    /// Whether the request has a body.
    var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }
}

/// The name of a field as sent, in any case.
private struct FieldName {
    let text: String
    var length: Int { text.utf8.count }

    init(_ text: String) {
        self.text = text
    }

    /// - Parameter other: the name in lower case.
    static func == (name: FieldName, other: StaticString) -> Bool {
        let bytes = UnsafeBufferPointer(start: other.utf8Start, count: other.utf8CodeUnitCount)
        // The bit 0x20 turns an upper-case letter into the lower-case one, and leaves hyphens as they are.
        return name.text.utf8.elementsEqual(bytes) { $0 | 0x20 == $1 }
    }
}
