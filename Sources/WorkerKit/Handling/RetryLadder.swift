internal import AMQP
internal import Contracts
internal import Reactor

/// Makes the message with which a delivery waits in a delay queue and then returns to its own queue.
enum RetryLadder {
    /// Returns the copy of a delivery, to be published to the delay queue.
    ///
    /// The copy has the body and the properties of the delivery, with these changes: it names this worker as its sender
    /// and the first sender in the header `origin`, has the numbers of failures and deliveries, is persistent, does not
    /// expire, and has no CC or BCC header.
    ///
    /// - Parameters:
    ///   - delivery: the delivery.
    ///   - message: the parsed form of the delivery.
    ///   - step: the delay.
    ///   - failures: the number of failed attempts to handle the message.
    ///   - principal: the worker's own broker user.
    @Loop static func copy(
        _ delivery: Delivery, _ message: IncomingMessage, step: RetryStep, failures: Int, principal: String
    ) -> OutgoingMessage {
        var properties = delivery.properties
        properties.userID = principal
        properties.isPersistent = true
        properties.expiration = nil
        // The broker also routes by these headers, so the copy would be delivered to other queues as well.
        for name in ["CC", "BCC"] { properties.headers[name] = nil }
        if properties.type == nil { properties.type = message.type }
        properties.headers[Header.attempt] = .int64(Int64(failures))
        let deliveries = delivery.totalDeliveryCount
        properties.headers[Header.deliveries] = deliveries > 0 ? .int64(Int64(deliveries)) : nil
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
