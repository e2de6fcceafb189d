internal import AMQP
internal import Contracts
internal import Reactor

/// Converts between a reply and its AMQP message.
enum ReplyMessage {
    static func make(_ reply: Reply, to message: IncomingMessage, key: String, principal: String) -> OutgoingMessage {
        var properties = Properties()
        properties.type = "\(message.type).reply"
        properties.correlationID = message.correlationID
        properties.contentType = reply.contentType
        properties.userID = principal
        properties.headers[Header.status] = .int64(Int64(reply.status))
        if let location = reply.location { properties.headers[Header.location] = .string(location) }
        if let etag = reply.etag { properties.headers[Header.etag] = .string(etag) }
        if let seconds = reply.retryAfter { properties.headers[Header.retryAfter] = .int64(Int64(seconds)) }
        return OutgoingMessage(
            exchange: Exchange.replies, routingKey: key, isMandatory: false, properties: properties, body: reply.body)
    }

    /// Parses a reply. Returns `nil` if its status is not a final HTTP status, which is from 200 to 599.
    @Loop static func read(_ delivery: Delivery) -> Reply? {
        let headers = delivery.properties.headers
        guard let status = headers[Header.status]?.int64, (200...599).contains(status) else { return nil }
        return Reply(
            status: Int(status), contentType: delivery.properties.contentType,
            location: headers[Header.location]?.string,
            etag: headers[Header.etag]?.string, retryAfter: headers[Header.retryAfter]?.int64.map { Int(clamping: $0) },
            body: delivery.body)
    }
}
