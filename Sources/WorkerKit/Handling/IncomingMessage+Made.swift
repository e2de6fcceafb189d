package import Contracts
package import FoundationEssentials

extension IncomingMessage {
    /// Makes a message that came through no broker, for handlers that are called without one.
    ///
    /// - Parameters:
    ///   - caller: whom it speaks for, taken as vouched for.
    ///   - body: the request's bytes.
    ///   - isAwaited: whether somebody waits half a minute for the reply.
    package init(
        type: String, id: UUID? = UUID.v7(), caller: Caller? = nil, sentAt: Timestamp = .now(), body: [UInt8],
        isAwaited: Bool = false
    ) {
        self.type = type
        self.id = id
        sender = nil
        self.caller = caller
        requestID = id?.text ?? ""
        traceparent = nil
        deadline = isAwaited ? sentAt.advanced(by: .seconds(30)) : nil
        self.sentAt = sentAt
        contentType = ContentType.json
        replyTo = isAwaited ? "replies" : nil
        correlationID = nil
        attempt = 0
        queue = type
        self.body = body
        claimsForeignSubject = false
        hasNamelessSubject = false
    }
}
