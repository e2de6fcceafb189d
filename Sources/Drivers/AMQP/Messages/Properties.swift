/// The properties of a message (AMQP 0-9-1, class basic).
///
/// Texts are at most 255 bytes of UTF-8; publishing longer ones is refused as ``PublishError/tooLarge``.
package struct Properties: Sendable, Equatable {
    /// The media type of the body.
    package var contentType: String?
    /// The coding of the body, such as gzip.
    package var contentEncoding: String?
    /// Named values of the application's own.
    package var headers: Headers
    /// Whether the message is to survive a restart of the broker (delivery mode 2).
    package var isPersistent: Bool
    /// From 0, for queues that have priorities.
    package var priority: UInt8?
    /// What a reply bears to be matched with its request.
    package var correlationID: String?
    /// Where the reply is to go.
    package var replyTo: String?
    /// How many milliseconds the message may wait in a queue.
    package var expiration: UInt64?
    /// The sender's name for the message.
    package var messageID: String?
    /// Seconds since the epoch.
    package var timestamp: UInt64?
    /// The type of message.
    package var type: String?
    /// The broker user who sent it, verified by the broker where it is set.
    package var userID: String?
    /// The program that sent it.
    package var appID: String?

    /// Makes properties; what is left out is not sent.
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
