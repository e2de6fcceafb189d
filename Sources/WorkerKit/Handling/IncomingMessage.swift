internal import AMQP
package import Contracts
package import FoundationEssentials
internal import Reactor

/// A delivery as the kit understands it: its properties checked and the trust in its sender decided.
package struct IncomingMessage: Sendable {
    /// The message type: `post.create`.
    package let type: String
    /// The message's own id; nothing where it has none that is a UUID.
    package let id: UUID?
    /// The broker user who first sent it, as the broker vouches for it.
    package let sender: String?
    /// The account it speaks for, and only where the sender may speak for others.
    package let caller: Caller?
    /// The id that the request bears in every log line.
    package let requestID: String
    /// The W3C trace context, passed on as it came.
    package let traceparent: String?
    /// The trace's id, 32 hexadecimal digits, where there is a trace.
    package var traceID: String? {
        guard let traceparent, traceparent.utf8.count >= 35 else { return nil }
        let id = traceparent.utf8.dropFirst(3).prefix(32)
        let isHexadecimal = id.allSatisfy {
            UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
        }
        return isHexadecimal ? String(Substring(id)) : nil
    }
    /// When its sender stops waiting; nothing where it says nothing.
    package let deadline: Timestamp?
    /// When it was sent, by its own `timestamp`, to the second.
    package let sentAt: Timestamp?
    /// The body's media type.
    package let contentType: String?
    /// Where its reply goes.
    package let replyTo: String?
    /// What the reply bears.
    package let correlationID: String?
    /// How often a handler has failed on it.
    package let attempt: Int
    /// The queue it was taken from.
    package let queue: String
    /// The body's bytes.
    package let body: [UInt8]
    /// Whether it carries a subject that its sender had no right to state.
    package let claimsForeignSubject: Bool
    /// Whether it carries a subject without a name that an account can have.
    package let hasNamelessSubject: Bool

    @Loop init(_ delivery: Delivery, trusted: Set<String>) {
        let properties = delivery.properties
        let hasReturned = delivery.exchange == Exchange.requeue
        // Only what came back through `warren.requeue` was sent there by a worker or the operator, who keep the
        // first sender in `origin`; anyone may write that header on a message of their own.
        let origin = hasReturned ? properties.headers[Header.origin]?.string : nil
        type = properties.type ?? (hasReturned ? "" : delivery.routingKey)
        id = properties.messageID.flatMap { UUID(text: $0) }
        sender = origin ?? properties.userID
        let isTrusted = sender.map { trusted.contains($0) } ?? false
        let subject = properties.headers[Header.subject]?.string
        if isTrusted, let subject, let account = UUID(text: subject) {
            let name = properties.headers[Header.subjectName]?.string ?? ""
            hasNamelessSubject = !Username.isValid(name)
            caller = hasNamelessSubject ? nil : Caller(id: account, username: name)
            claimsForeignSubject = false
        } else {
            caller = nil
            hasNamelessSubject = false
            claimsForeignSubject = subject != nil
        }
        requestID =
            properties.headers[Header.requestId]?.string.map { String($0.prefix(128)) } ?? properties.messageID ?? ""
        traceparent = properties.headers[Header.traceparent]?.string
        deadline = properties.headers[Header.deadline]?.int64.map { Timestamp(milliseconds: $0) }
        sentAt = properties.timestamp.map {
            Timestamp(milliseconds: Int64(clamping: $0.multipliedReportingOverflow(by: 1000).partialValue))
        }
        contentType = properties.contentType
        replyTo = properties.replyTo
        correlationID = properties.correlationID
        attempt = hasReturned ? Int(clamping: max(0, properties.headers[Header.attempt]?.int64 ?? 0)) : 0
        queue = delivery.queue
        body = delivery.body
    }
}
