/// A request to a server over HTTP or HTTPS.
package struct HTTPRequest: Sendable {
    /// The body of a request.
    package enum Body: Sendable {
        /// No body.
        case none
        /// Bytes. The caller can state their media type in the header field `Content-Type`.
        case bytes([UInt8])
        /// Parts, which are sent as `multipart/form-data` (RFC 7578) without being copied into one buffer.
        case multipart([Part])
    }

    /// One part of a multipart body.
    package struct Part: Sendable {
        /// The name of the field.
        package var name: String
        /// The file name, or `nil` for a plain field.
        package var fileName: String?
        /// The media type. If it is `nil`, libcurl derives the media type from the extension of the file name, or sends
        /// none.
        package var contentType: String?
        /// The content.
        package var bytes: [UInt8]

        /// Makes a part from bytes.
        package init(name: String, fileName: String? = nil, contentType: String? = nil, bytes: [UInt8]) {
            self.name = name
            self.fileName = fileName
            self.contentType = contentType
            self.bytes = bytes
        }

        /// Makes a plain field from text.
        package init(name: String, value: String) {
            self.init(name: name, bytes: Array(value.utf8))
        }
    }

    /// The time limits of a request.
    package struct Timeouts: Sendable {
        /// The limit for resolving the host name, connecting and the TLS handshake.
        package var connect: Duration = .seconds(5)
        /// The limit for the whole request, up to the last byte of the response.
        package var total: Duration = .seconds(30)
        /// How long the transfer may stay below ``lowSpeed``, in whole seconds.
        package var lowSpeedTime: Duration = .seconds(10)
        /// The speed in bytes per second below which a transfer counts as stalled.
        package var lowSpeed = 100

        /// Makes the default time limits, which suit an API on the internet.
        package init() {}
    }

    /// The method, such as `GET`.
    package var method: String
    /// An absolute URL with the scheme `http` or `https`.
    package var url: String
    /// The header fields in their order.
    package var headers: [(name: String, value: String)]
    /// The body.
    package var body: Body
    /// The time limits.
    package var timeouts: Timeouts
    /// The maximum size of the response's body in bytes.
    package var maximumResponseSize: Int

    /// Makes a request.
    package init(
        method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: Body = .none,
        timeouts: Timeouts = Timeouts(), maximumResponseSize: Int = 1 << 20
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeouts = timeouts
        self.maximumResponseSize = maximumResponseSize
    }
}
