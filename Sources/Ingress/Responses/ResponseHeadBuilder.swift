internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1

/// A response with the values of the fields that depend on the request and its connection.
struct ResponseHead {
    let response: IngressResponse
    /// The request's id, sent as `X-Request-Id`.
    let requestID: String
    /// The request's `Origin` field.
    var origin: String?
    var connection = HTTPConnectionState.ConnectionField.unchanged

    init(
        _ response: IngressResponse, requestID: String, origin: String? = nil,
        connection: HTTPConnectionState.ConnectionField = .unchanged
    ) {
        self.response = response
        self.requestID = requestID
        self.origin = origin
        self.connection = connection
    }
}

/// Writes the heads of responses: the status line, the fields of an ``IngressResponse``, and the fields that every
/// response has.
struct ResponseHeadBuilder: Sendable {
    private let cors: CORSPolicy
    private let date = HTTPDateCache()

    init(cors: CORSPolicy) {
        self.cors = cors
    }

    /// Writes the head of a response, with the empty line at its end.
    func write(_ head: ResponseHead, to buffer: inout ByteBuffer) {
        let response = head.response
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString(Self.statusLine(response.status))
        if let policy = response.contentSecurityPolicy {
            Self.write("Content-Security-Policy", policy, to: &buffer)
            buffer.writeBytes(SecurityFields.others)
        } else {
            buffer.writeBytes(SecurityFields.bytes)
        }
        Self.write("Date", date.now, to: &buffer)
        Self.write("X-Request-Id", head.requestID, to: &buffer)
        RateLimitFields.write(response.rateDecisions, to: &buffer)
        for field in cors.fields(for: head.origin) { Self.write(field.name.rawName, field.value, to: &buffer) }
        for field in response.fields { Self.write(field.name.rawName, field.value, to: &buffer) }
        if response.status != 204 && response.status != 304 {
            Self.write("Content-Length", String(response.body.count), to: &buffer)
        }
        switch head.connection {
        case .unchanged: break
        case .keepAlive: buffer.writeStaticString("Connection: keep-alive\r\n")
        case .close: buffer.writeStaticString("Connection: close\r\n")
        }
        buffer.writeStaticString("\r\n")
    }

    private static func write(_ name: String, _ value: String, to buffer: inout ByteBuffer) {
        buffer.writeString(name)
        buffer.writeStaticString(": ")
        buffer.writeString(value)
        buffer.writeStaticString("\r\n")
    }

    private static func statusLine(_ code: Int) -> String {
        "\(code) \(HTTPResponseStatus(statusCode: code).reasonPhrase)\r\n"
    }
}
