internal import AMQP
internal import Contracts
internal import Reactor

/// How a delivery whose handler failed climbs the ladder of delays.
enum RetryLadder {
    /// The message that waits for its delay and then comes back to its queue.
    ///
    /// - Parameters:
    ///   - delivery: what failed; its properties are kept, save those that tell who sends it and how often it failed.
    ///   - message: the same, as understood.
    ///   - step: how long it waits.
    ///   - principal: the worker's own broker user.
    @Loop static func retry(
        _ delivery: Delivery, _ message: IncomingMessage, step: RetryStep, principal: String
    ) -> OutgoingMessage {
        var properties = delivery.properties
        properties.userID = principal
        properties.isPersistent = true
        properties.expiration = nil
        // The broker leads a message to these keys too, whatever the key that it comes back under.
        for name in ["CC", "BCC"] { properties.headers[name] = nil }
        if properties.type == nil { properties.type = message.type }
        properties.headers[Header.attempt] = .int64(Int64(message.attempt + 1))
        if let sender = message.sender {
            properties.headers[Header.origin] = .string(sender)
        } else {
            properties.headers[Header.origin] = nil
        }
        return OutgoingMessage(
            exchange: Exchange.retry, routingKey: step.routingKey(backTo: delivery.queue), isMandatory: true,
            properties: properties, body: delivery.body)
    }
}
