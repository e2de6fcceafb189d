internal import AMQP
package import Contracts
package import FoundationEssentials
package import WorkerKit

extension IncomingMessage {
    /// Makes a message with the properties that the ingress sets, for tests that call handlers without a broker.
    ///
    /// - Parameters:
    ///   - caller: the account on whose behalf the message is sent; its username must be valid.
    ///   - body: the message's bytes.
    ///   - description: the header `description`.
    ///   - isAwaited: whether the message asks for a reply, with a deadline in 30 s.
    ///   - sentAt: the time of sending. Its milliseconds are dropped.
    package init(
        type: String, id: UUID? = UUID.v7(), caller: Caller? = nil, body: [UInt8], description: String? = nil,
        isAwaited: Bool = false, sentAt: Timestamp = .now()
    ) {
        var properties = Properties()
        properties.type = type
        properties.messageID = id?.text
        properties.userID = "ingress"
        properties.contentType = ContentType.json
        properties.timestamp = UInt64(sentAt.milliseconds / 1000)
        if let caller {
            properties.headers[Header.subject] = .string(caller.id.text)
            properties.headers[Header.subjectName] = .string(caller.username)
        }
        if let description { properties.headers[Header.description] = .string(description) }
        if isAwaited {
            properties.replyTo = "replies"
            properties.headers[Header.deadline] = .int64(Timestamp.now().advanced(by: .seconds(30)).milliseconds)
        }
        self.init(
            properties: properties, exchange: Exchange.commands, routingKey: type, queue: type, body: body,
            trusted: ["ingress"])
    }
}
