/// How far a worker has come towards a kill point. All its connections share this value.
struct KillPointProgress: Sendable {
    let point: KillPoint
    /// The message type of the commands that count; `nil` if all requests count.
    let messageType: String?
    /// Whether the kill point is reached. From then on, nothing is forwarded.
    private(set) var isReached = false
    /// Whether a command that counts was delivered.
    private(set) var isArmed = false
    /// Whether the transaction of a command was committed since then.
    private(set) var hasCommitted = false
    /// The correlation ids of the delivered requests whose replies the worker has not published, and whether each is a
    /// command that counts.
    private var unanswered: [String: Bool] = [:]

    init(point: KillPoint, messageType: String? = nil) {
        self.point = point
        self.messageType = messageType
    }

    mutating func reach() { isReached = true }

    mutating func commit() { hasCommitted = true }

    /// Takes a message that was delivered to the worker.
    ///
    /// - Returns: whether it is a command that counts.
    mutating func deliver(_ message: AMQPFrames.Message) -> Bool {
        guard message.exchange == ExchangeName.commands else { return false }
        let isCounted = messageType == nil || message.routingKey == messageType
        if isCounted { isArmed = true }
        if message.expectsReply, let id = message.correlationID { unanswered[id] = isCounted }
        return isCounted
    }

    /// Takes a message that the worker has published.
    ///
    /// - Returns: whether it is the reply to a command that counts.
    mutating func publish(_ message: AMQPFrames.Message) -> Bool {
        // The worker also acknowledges the delivery of a command after it has published its retry.
        guard [ExchangeName.replies, ExchangeName.retry].contains(message.exchange),
            let id = message.correlationID, let isCounted = unanswered.removeValue(forKey: id)
        else { return false }
        return isCounted && message.exchange == ExchangeName.replies
    }

    /// Whether the worker owes the reply to a request.
    func awaitsReply(_ correlationID: String) -> Bool { unanswered[correlationID] != nil }
}

/// The exchanges that kill points depend on. They are part of the contract in `queues/`. `Contracts` is not imported,
/// because the tests of the drivers use this module and must build without `Contracts`.
enum ExchangeName {
    static let commands = "warren.commands"
    static let replies = "warren.replies"
    static let events = "warren.events"
    static let retry = "warren.retry"
}
