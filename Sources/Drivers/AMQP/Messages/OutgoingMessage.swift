/// A message to publish.
package struct OutgoingMessage: Sendable {
    /// The exchange's name; the empty name is the default exchange.
    package var exchange: String
    /// The routing key, at most 255 bytes of UTF-8.
    package var routingKey: String
    /// Whether the broker returns the message if it routes to no queue.
    package var isMandatory: Bool
    /// The AMQP properties, such as the message id, the reply-to queue and the headers.
    package var properties: Properties
    /// The payload, sent unchanged.
    package var body: [UInt8]

    package init(
        exchange: String, routingKey: String, isMandatory: Bool = false, properties: Properties = Properties(),
        body: [UInt8]
    ) {
        self.exchange = exchange
        self.routingKey = routingKey
        self.isMandatory = isMandatory
        self.properties = properties
        self.body = body
    }
}
