package import AMQP
internal import ASCII
package import Contracts
package import FoundationEssentials
internal import Reactor

/// A message whose properties are parsed and whose sender's rights are checked.
package struct IncomingMessage: Sendable {
    /// The message type, such as `post.create`.
    package let type: String
    /// The message's own id; `nil` if it has none or one that is not a UUID.
    package let id: UUID?
    /// The broker user that first sent the message, verified by the broker.
    package let sender: String?
    /// The account on whose behalf the message was sent; `nil` if the message names no account, or if its sender may
    /// not send requests on behalf of accounts.
    package let caller: Caller?
    /// The request's id in log lines.
    package let requestID: String
    /// The W3C trace context, unchanged.
    package let traceparent: String?
    /// The time at which the sender stops waiting, by the sender's clock; `nil` if the message has no deadline. The
    /// dispatcher corrects it if this process's clock is behind the clocks of senders.
    package var deadline: Timestamp?
    /// How long the broker keeps the message in the queue; `nil` without a limit.
    let expiration: Duration?
    /// The time at which the message was sent, from its property `timestamp`, which has a resolution of one second.
    package let sentAt: Timestamp?
    /// The body's media type.
    package let contentType: String?
    /// The routing key of the reply; `nil` if the sender wants none.
    package let replyTo: String?
    /// The correlation id of the reply.
    package let correlationID: String?
    /// The text in the header `description`; `nil` if there is none.
    package let description: String?
    /// The number of failed attempts to handle the message, from the header `attempt`.
    package let failures: Int
    /// The queue that delivered the message.
    package let queue: String
    /// The body's bytes.
    package let body: [UInt8]
    /// Whether the message names an account, but its sender may not send requests on behalf of accounts, or the
    /// account's id is not a UUID.
    package let hasRefusedSubject: Bool
    /// Whether the message names an account without a valid username.
    package let hasNamelessSubject: Bool
    /// The fingerprint once it was computed, shared by all copies of this value.
    let fingerprint = Fingerprint.Cache()

    /// Parses a message.
    ///
    /// - Parameters:
    ///   - properties: the AMQP properties.
    ///   - exchange: the exchange that the message was published to.
    ///   - routingKey: the routing key of the message.
    ///   - queue: the queue that delivered the message.
    ///   - body: the body's bytes.
    ///   - trusted: the principals that may send requests on behalf of accounts.
    package init(
        properties: Properties, exchange: String, routingKey: String, queue: String, body: [UInt8],
        trusted: Set<String>
    ) {
        // Messages reach `warren.requeue` only from the operator and, through `warren.retry`, from workers. The
        // operator and the workers store the first sender in the header `origin`. On other exchanges every sender can
        // set this header, so it is ignored there.
        let hasReturned = exchange == Exchange.requeue
        let origin = hasReturned ? properties.headers[Header.origin]?.string : nil
        type = properties.type ?? (hasReturned ? "" : routingKey)
        id = properties.messageID.flatMap { UUID(text: $0) }
        sender = origin ?? properties.userID
        let isTrusted = sender.map { trusted.contains($0) } ?? false
        let subject = properties.headers[Header.subject]?.string
        if isTrusted, let subject, let account = UUID(text: subject) {
            let name = properties.headers[Header.subjectName]?.string ?? ""
            hasNamelessSubject = !Username.isValid(name)
            caller = hasNamelessSubject ? nil : Caller(id: account, username: name)
            hasRefusedSubject = false
        } else {
            caller = nil
            hasNamelessSubject = false
            hasRefusedSubject = subject != nil
        }
        requestID =
            properties.headers[Header.requestId]?.string.map(Self.limited) ?? properties.messageID ?? ""
        traceparent = properties.headers[Header.traceparent]?.string
        deadline = properties.headers[Header.deadline]?.int64.map { Timestamp(milliseconds: $0) }
        expiration = properties.expiration.map { .milliseconds(Int64(clamping: $0)) }
        sentAt = properties.timestamp.map {
            Timestamp(milliseconds: Int64(clamping: $0.multipliedReportingOverflow(by: 1000).partialValue))
        }
        contentType = properties.contentType
        replyTo = properties.replyTo
        correlationID = properties.correlationID
        description = properties.headers[Header.description]?.string
        let attempt = hasReturned ? properties.headers[Header.attempt]?.int64 ?? 0 : 0
        // The header is foreign input. The limit is far above the number of steps of the retry ladder.
        failures = Int(min(max(0, attempt), 1000))
        self.queue = queue
        self.body = body
    }

    /// Returns the first 128 bytes of a request's id. A character that the limit cuts becomes U+FFFD.
    private static func limited(_ requestID: String) -> String {
        requestID.utf8.count <= 128 ? requestID : String(decoding: requestID.utf8.prefix(128), as: UTF8.self)
    }

    @Loop init(_ delivery: Delivery, trusted: Set<String>) {
        self.init(
            properties: delivery.properties, exchange: delivery.exchange, routingKey: delivery.routingKey,
            queue: delivery.queue, body: delivery.body, trusted: trusted)
    }

    /// The id of the trace, 32 hexadecimal digits; `nil` if the message has no valid trace context.
    package var traceID: String? {
        guard let traceparent, traceparent.utf8.count >= 35 else { return nil }
        let id = traceparent.utf8.dropFirst(3).prefix(32)
        return id.allSatisfy(\.isLowercaseHexadecimal) ? String(Substring(id)) : nil
    }

    /// The id of the entity that this message creates. It is the same for every delivery of the message, and different
    /// for every message.
    ///
    /// The time in this id is the time in the message's own id, or else the message's timestamp. If the message has
    /// neither, the time is the current time, and a redelivery gets another id.
    package var newID: UUID { newID(of: []) }

    /// An id like ``newID``, which also depends on the content. Messages with the same id and different contents get
    /// different ids, so that an image that one of them stores at Cloudinary never replaces the image of another.
    @Loop package func newIDOfContent() async -> UUID { newID(of: await Fingerprint.of(self)) }

    private func newID(of content: [UInt8]) -> UUID {
        guard let id else { return UUID.v7() }
        let ids = [caller?.id, id].map { $0?.text ?? "" }
        return UUID.v7(
            hashing: Array("\(type) \(ids[0]) \(ids[1])".utf8) + content, at: id.timestamp ?? sentAt ?? .now())
    }
}

/// The account on whose behalf a trusted principal sent a request.
package struct Caller: Sendable, Hashable {
    /// The account's id.
    package let id: UUID
    /// The account's username when its access token was signed.
    package let username: String

    /// Makes a caller.
    package init(id: UUID, username: String) {
        self.id = id
        self.username = username
    }
}
