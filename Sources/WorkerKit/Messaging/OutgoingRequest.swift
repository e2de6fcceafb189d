internal import AMQP
package import Contracts
package import FoundationEssentials

/// A request to a service.
package struct OutgoingRequest: Sendable {
    /// The message type.
    package var type: MessageDescriptor
    /// The message id. A service carries out a command once for each id.
    package var id: UUID
    /// The account on whose behalf the request is sent; `nil` if there is none.
    package var caller: Caller?
    /// The body's media type.
    package var contentType: String
    /// The bytes of the body. They are published unchanged.
    package var body: [UInt8]
    /// How long the sender waits for the outcome.
    package var timeout: Duration
    /// Whether the sender of a command waits for the reply. If it is `false`, the request ends with the outcome
    /// `accepted` when the broker has confirmed the command. It has no effect on other kinds of messages.
    package var awaitsReply = true
    /// The clients against whose shares of the queue the request counts (see ``QueueShares``); empty if it does not
    /// count.
    package var clients: [ClientKey] = []
    /// The request's id in log lines.
    package var requestID: String
    /// The description of the picture in an upload.
    package var description: String?
    /// The `traceparent` of the W3C trace context.
    package var traceparent: String?
    /// The `tracestate` of the W3C trace context.
    package var tracestate: String?

    /// Makes a request with a new id and the timeout of the message type.
    package init(
        _ type: MessageDescriptor, caller: Caller?, contentType: String = ContentType.json, body: [UInt8],
        requestID: String
    ) {
        self.type = type
        id = UUID.v7()
        self.caller = caller
        self.contentType = contentType
        self.body = body
        timeout = type.timeout
        self.requestID = requestID
    }

    func makeMessage(correlationID: String, replyTo: String, principal: String) -> OutgoingMessage {
        let now = Timestamp.now()
        let awaitsReply = awaitsReply || type.kind != .command
        // The deadline 0 means that the sender does not wait, whatever the worker's clock shows.
        let deadline = awaitsReply ? now.advanced(by: timeout) : Timestamp(milliseconds: 0)
        var properties = Properties()
        properties.type = type.name
        properties.messageID = id.text
        properties.correlationID = correlationID
        // The reply to a command also ends the claim on its queue, so it is needed even if the sender does not wait.
        if awaitsReply || !clients.isEmpty { properties.replyTo = replyTo }
        properties.contentType = contentType
        properties.isPersistent = type.kind.isPersistent
        if !type.kind.isPersistent {
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
        if let description { properties.headers[Header.description] = .string(description) }
        if let traceparent { properties.headers[Header.traceparent] = .string(traceparent) }
        if let tracestate { properties.headers[Header.tracestate] = .string(tracestate) }
        return OutgoingMessage(
            exchange: Exchange.commands, routingKey: type.name, isMandatory: true, properties: properties,
            body: body)
    }
}
