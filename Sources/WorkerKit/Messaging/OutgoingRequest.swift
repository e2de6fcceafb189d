internal import AMQP
package import Contracts
package import FoundationEssentials

/// A request for another service, as it is put on the broker.
package struct OutgoingRequest: Sendable {
    /// The row of the contract that it is of.
    package var message: MessageDescriptor
    /// What makes it happen once.
    package var id: UUID
    /// On whose behalf it is sent.
    package var caller: Caller?
    /// The body's media type.
    package var contentType: String
    /// The body, passed through as it is.
    package var body: [UInt8]
    /// How long its sender waits.
    package var patience: Duration
    /// Whether its sender waits for the worker; if not, a command ends as accepted once the broker has it.
    package var awaitsReply = true
    /// The id that every log line about it bears.
    package var requestID: String
    /// W3C trace context, passed on.
    package var traceparent: String?
    /// W3C trace context, passed on.
    package var tracestate: String?

    /// Makes a request with a new id and the patience that the contract gives its type.
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
