/// The properties of a message (AMQP 0-9-1, class basic).
///
/// Texts are limited to 255 bytes of UTF-8. Publishing a longer text throws ``PublishError`` with the code `tooLarge`.
package struct Properties: Sendable, Equatable {
    /// The media type of the body.
    package var contentType: String?
    /// The content encoding of the body, such as gzip.
    package var contentEncoding: String?
    /// Application headers.
    package var headers: Headers
    /// Whether the message survives a restart of the broker (delivery mode 2).
    package var isPersistent: Bool
    /// The priority in a priority queue; 0 is the lowest.
    package var priority: UInt8?
    /// An ID that a reply copies from its request.
    package var correlationID: String?
    /// The routing key for the reply.
    package var replyTo: String?
    /// The time to live in a queue, in milliseconds.
    package var expiration: UInt64?
    /// The ID that the sender gave the message.
    package var messageID: String?
    /// The time of the message, in seconds since 1970.
    package var timestamp: UInt64?
    /// The type of message.
    package var type: String?
    /// The broker user that published the message. If it is set, the broker verifies it.
    package var userID: String?
    /// The program that published the message.
    package var appID: String?

    /// Makes properties. A property that is `nil` is not sent.
    package init(
        contentType: String? = nil, contentEncoding: String? = nil, headers: Headers = Headers(),
        isPersistent: Bool = false, priority: UInt8? = nil, correlationID: String? = nil, replyTo: String? = nil,
        expiration: UInt64? = nil, messageID: String? = nil, timestamp: UInt64? = nil, type: String? = nil,
        userID: String? = nil, appID: String? = nil
    ) {
        self.contentType = contentType
        self.contentEncoding = contentEncoding
        self.headers = headers
        self.isPersistent = isPersistent
        self.priority = priority
        self.correlationID = correlationID
        self.replyTo = replyTo
        self.expiration = expiration
        self.messageID = messageID
        self.timestamp = timestamp
        self.type = type
        self.userID = userID
        self.appID = appID
    }
}
