internal import AMQP
package import Contracts
package import FoundationEssentials

/// A request to a service.
package struct OutgoingRequest: Sendable {
    /// The message type.
    package var message: MessageDescriptor
    /// The message id. A service carries out a command once for each id.
    package var id: UUID
    /// The account that the request is for.
    package var caller: Caller?
    /// The body's media type.
    package var contentType: String
    /// The body's bytes, unchanged.
    package var body: [UInt8]
    /// How long the sender waits.
    package var patience: Duration
    /// Whether the sender waits for the reply. Otherwise a command ends as accepted when the broker has confirmed it.
    package var awaitsReply = true
    /// The request's id in log lines.
    package var requestID: String
    /// The W3C trace context's parent.
    package var traceparent: String?
    /// The W3C trace context's state.
    package var tracestate: String?

    /// Makes a request with a new id and the deadline of its message type.
    package init(
        _ message: MessageDescriptor, caller: Caller?, contentType: String = ContentType.json, body: [UInt8],
        requestID: String
    ) {
        self.message = message
        id = UUID.v7()
        self.caller = caller
        self.contentType = contentType
        self.body = body
        patience = message.deadline
        self.requestID = requestID
    }

    func outgoing(correlationID: String, replyTo: String, principal: String) -> OutgoingMessage {
        let now = Timestamp.now()
        let deadline = now.advanced(by: patience)
        var properties = Properties()
        properties.type = message.name
        properties.messageID = id.text
        properties.correlationID = correlationID
        if awaitsReply || message.kind != .command { properties.replyTo = replyTo }
        properties.contentType = contentType
        properties.isPersistent = message.kind.isPersistent
        if !message.kind.isPersistent {
            properties.expiration = UInt64(max(1, deadline.milliseconds - now.milliseconds))
        }
        properties.timestamp = UInt64(max(0, now.milliseconds / 1000))
        properties.appID = principal
        properties.userID = principal
        properties.headers[Header.deadline] = .int64(deadline.milliseconds)
        properties.headers[Header.requestId] = .string(requestID)
        if let caller {
            properties.headers[Header.subject] = .string(caller.id.text)
            properties.headers[Header.subjectName] = .string(caller.username)
        }
        if let traceparent { properties.headers[Header.traceparent] = .string(traceparent) }
        if let tracestate { properties.headers[Header.tracestate] = .string(tracestate) }
        return OutgoingMessage(
            exchange: Exchange.commands, routingKey: message.name, isMandatory: true, properties: properties,
            body: body)
    }
}
