package import Reactor

/// A statement in flight. Its rows can be awaited at once, later, several times or not at all.
@Loop package final class PendingQuery {
    /// The stage that a deadline ends.
    enum Stage {
        /// The statement waits for a connection, under this ticket.
        case queued(UInt64)
        /// The statement was sent as the query of this number in the connection's pipeline.
        case sent(PostgresConnection, number: UInt64)
    }

    /// `nil` before the statement is queued or sent, and after it has finished.
    var stage: Stage?
    /// Called once with the result, before the tasks that wait for it continue. They get the result that it
    /// returns.
    var onFinish: ((Result<Rows, PostgresError>) -> Result<Rows, PostgresError>)?
    private(set) var result: Result<Rows, PostgresError>?
    /// The first waiting task has a property of its own, because an array would cost an allocation per statement.
    private var waiter: Waiter<Void>?
    private var furtherWaiters: [Waiter<Void>] = []
    private var timer: LoopTimer?

    init() {}

    init(failed error: PostgresError) {
        result = .failure(error)
    }

    /// Waits for the statement's rows.
    ///
    /// - Throws: ``PostgresError``, with the code `cancelled` as soon as the waiting task is cancelled. The
    ///   server may carry out the statement nevertheless.
    package func rows() async throws(PostgresError) -> Rows {
        if let result { return try result.get() }
        if await register().wait() == nil {
            finish(.failure(PostgresError(.cancelled, "the waiting task was cancelled")))
        }
        return try finalResult.get()
    }

    /// Waits for the statement's result, even in a task that is cancelled.
    func resultThroughCancellation() async -> Result<Rows, PostgresError> {
        if let result { return result }
        _ = await register().waitThroughCancellation()
        return finalResult
    }

    private var finalResult: Result<Rows, PostgresError> {
        result ?? .failure(PostgresError(.protocolViolation, "a statement ended without a result"))
    }

    private func register() -> Waiter<Void> {
        let new = Waiter<Void>()
        if waiter == nil { waiter = new } else { furtherWaiters.append(new) }
        return new
    }

    /// Calls a handler at the deadline if the statement has not finished by then.
    func setDeadline(_ deadline: ContinuousClock.Instant, _ handler: @escaping @Loop (PendingQuery) -> Void) {
        guard result == nil else { return }
        timer = Loop.schedule(at: deadline) { [weak self] in
            if let self { handler(self) }
        }
    }

    /// Finishes the statement. Only the first result counts, so that an answer after a deadline is ignored.
    func finish(_ result: Result<Rows, PostgresError>) {
        guard self.result == nil else { return }
        let onFinish = onFinish.take()
        self.result = onFinish?(result) ?? result
        timer?.cancel()
        timer = nil
        stage = nil
        waiter.take()?.resume()
        for further in furtherWaiters { further.resume() }
        furtherWaiters = []
    }
}
