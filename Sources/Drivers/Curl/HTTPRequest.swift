/// A request to a server over HTTP or HTTPS.
package struct HTTPRequest: Sendable {
    /// What a request carries.
    package enum Body: Sendable {
        /// Nothing.
        case none
        /// Bytes, whose type a `Content-Type` among the headers tells.
        case bytes([UInt8])
        /// Fields as `application/x-www-form-urlencoded`.
        case form([(name: String, value: String)])
        /// Parts as `multipart/form-data` (RFC 7578), sent from the memory where they are.
        case multipart([Part])
    }

    /// One part of a multipart body.
    package struct Part: Sendable {
        /// The field's name.
        package var name: String
        /// The file's name; nil for a plain field.
        package var fileName: String?
        /// The media type; nil leaves it out, or `application/octet-stream` for a file.
        package var contentType: String?
        /// The content.
        package var bytes: [UInt8]

        /// Makes a part of bytes.
        package init(name: String, fileName: String? = nil, contentType: String? = nil, bytes: [UInt8]) {
            self.name = name
            self.fileName = fileName
            self.contentType = contentType
            self.bytes = bytes
        }

        /// Makes a plain field of text.
        package init(name: String, value: String) {
            self.init(name: name, bytes: Array(value.utf8))
        }
    }

    /// How long a request may take.
    package struct Timeouts: Sendable {
        /// For resolving the name, connecting and TLS.
        package var connect: Duration = .seconds(5)
        /// For the whole request, up to the last byte of the response.
        package var total: Duration = .seconds(30)
        /// How long the transfer may stay under ``lowSpeed``; whole seconds.
        package var lowSpeedTime: Duration = .seconds(10)
        /// Bytes a second under which a transfer counts as stalled.
        package var lowSpeed = 100

        /// The limits that suit an API on the internet.
        package init() {}
    }

    /// The method, as `GET`.
    package var method: String
    /// An absolute URL; only `http` and `https` are allowed.
    package var url: String
    /// Header fields, in their order.
    package var headers: [(name: String, value: String)]
    /// What the request carries.
    package var body: Body
    /// How long it may take.
    package var timeouts: Timeouts
    /// How many bytes the response's body may have.
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
