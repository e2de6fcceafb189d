internal import AMQP
internal import Contracts
internal import Reactor

/// Sends a failed delivery through a delay queue and back to its own queue.
enum RetryLadder {
    /// Returns the copy of a failed delivery that waits in the delay queue.
    ///
    /// - Parameters:
    ///   - delivery: the failed delivery; the copy keeps its properties except those that name the sender and count the
    ///     failures.
    ///   - message: the same delivery, parsed.
    ///   - step: the delay.
    ///   - principal: the worker's own broker user.
    @Loop static func retry(
        _ delivery: Delivery, _ message: IncomingMessage, step: RetryStep, principal: String
    ) -> OutgoingMessage {
        var properties = delivery.properties
        properties.userID = principal
        properties.isPersistent = true
        properties.expiration = nil
        // The broker routes by these headers too, so the copy would also return to other queues.
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
