internal import AMQP
internal import Contracts
package import FoundationEssentials
package import WorkerKit

extension IncomingMessage {
    /// Makes a message as the ingress sends it, for handlers that are called without a broker.
    ///
    /// - Parameters:
    ///   - caller: the account that the message is for; its username must be valid.
    ///   - body: the message's bytes.
    ///   - isAwaited: whether the sender waits 30 s for a reply.
    package init(type: String, id: UUID? = UUID.v7(), caller: Caller? = nil, body: [UInt8], isAwaited: Bool = false) {
        let now = Timestamp.now()
        var properties = Properties()
        properties.type = type
        properties.messageID = id?.text
        properties.userID = "ingress"
        properties.contentType = ContentType.json
        properties.timestamp = UInt64(now.milliseconds / 1000)
        if let caller {
            properties.headers[Header.subject] = .string(caller.id.text)
            properties.headers[Header.subjectName] = .string(caller.username)
        }
        if isAwaited {
            properties.replyTo = "replies"
            properties.headers[Header.deadline] = .int64(now.advanced(by: .seconds(30)).milliseconds)
        }
        self.init(
            properties: properties, exchange: Exchange.commands, routingKey: type, queue: type, body: body,
            trusted: ["ingress"])
    }
}
