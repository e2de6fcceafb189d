/// Forms batches of the messages that arrive while an earlier batch runs.
///
/// One batch runs at a time. The messages that arrive while it runs form the next batch, so batches grow with the load.
/// The caller runs the batches. This type only decides which message begins a batch and which messages join it.
struct BatchQueue<Message> {
    private let limit: Int
    private var isRunning = false
    private var waiting: [Message] = []

    /// - Parameter limit: the maximum number of messages in a batch, at least 1.
    init(limit: Int) {
        self.limit = limit
    }

    /// Whether so many messages wait that they fill the batch that ``takeOthers()`` would return.
    var isNextBatchFull: Bool { waiting.count >= limit - 1 }

    /// Adds a message.
    ///
    /// - Returns: `true` if no batch is running. The caller must then start a batch that begins with this message.
    ///   `false` if the message waits for the next batch.
    mutating func add(_ message: Message) -> Bool {
        guard isRunning else {
            isRunning = true
            return true
        }
        waiting.append(message)
        return false
    }

    /// Removes and returns the waiting messages that join the first message of the batch, in the order of their
    /// arrival.
    mutating func takeOthers() -> [Message] {
        let others = Array(waiting.prefix(limit - 1))
        waiting.removeFirst(others.count)
        return others
    }

    /// Ends the running batch.
    ///
    /// - Returns: the first message of the next batch, which the caller must start; `nil` if no message waits.
    mutating func finish() -> Message? {
        isRunning = !waiting.isEmpty
        return waiting.isEmpty ? nil : waiting.removeFirst()
    }
}
