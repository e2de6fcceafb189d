/// Forms batches of the work that arrives while other work runs.
///
/// One batch runs at a time. What arrives meanwhile forms the next batch, so batches grow with the load. The caller
/// runs the batches: this type only decides which message begins one and which messages join it.
struct BatchQueue<Message> {
    private let limit: Int
    private var isRunning = false
    private var waiting: [Message] = []

    /// - Parameter limit: the most messages in a batch, at least 1.
    init(limit: Int) {
        self.limit = limit
    }

    /// Adds a message.
    ///
    /// - Returns: true if no batch is running: the caller starts one that begins with this message. Otherwise the
    ///   message waits.
    mutating func add(_ message: Message) -> Bool {
        guard isRunning else {
            isRunning = true
            return true
        }
        waiting.append(message)
        return false
    }

    /// Returns the waiting messages that join the batch's first one, in the order of their arrival.
    mutating func takeOthers() -> [Message] {
        let others = Array(waiting.prefix(limit - 1))
        waiting.removeFirst(others.count)
        return others
    }

    /// Ends the running batch.
    ///
    /// - Returns: the message that the next batch begins with; `nil` if none waits.
    mutating func finish() -> Message? {
        isRunning = !waiting.isEmpty
        return waiting.isEmpty ? nil : waiting.removeFirst()
    }
}
