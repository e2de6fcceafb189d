package import Reactor

/// A statement that was sent, or that waits for a connection. Its rows can be awaited now, later, by several tasks,
/// or never.
@Loop package final class PendingQuery {
    /// Where an unfinished statement is. When its deadline passes, the statement is taken out of the pool's queue, or
    /// its connection is paused.
    enum Stage {
        /// The statement waits for a connection, in the pool's queue, under this ticket.
        case queued(UInt64)
        /// The statement was sent over this connection. The number is its place in the connection's pipeline.
        case sent(PostgresConnection, number: UInt64)
    }

    /// `nil` before the statement is queued or sent, and after it has finished.
    var stage: Stage?
    /// Called once with the statement's result, before the waiting tasks continue. The waiting tasks get the return
    /// value of this function instead.
    var onFinish: ((Result<Rows, PostgresError>) -> Result<Rows, PostgresError>)?
    private(set) var result: Result<Rows, PostgresError>?
    /// The first task that waits. It is not in an array, because the array would cost an allocation per statement.
    private var waiter: Waiter<Void>?
    private var furtherWaiters: [Waiter<Void>] = []
    private var timer: LoopTimer?

    init() {}

    init(failed error: PostgresError) {
        result = .failure(error)
    }

    /// Waits for the statement's rows.
    ///
    /// - Throws: ``PostgresError``. If the waiting task is cancelled, the code is `cancelled`, and all other tasks that
    ///   wait for this statement get the same error. The server may still carry out the statement.
    package func rows() async throws(PostgresError) -> Rows {
        if let result { return try result.get() }
        if await register().wait() == nil {
            finish(.failure(PostgresError(.cancelled, "the waiting task was cancelled")))
        }
        return try finalResult.get()
    }

    /// Waits for the statement's rows until a limit. After the limit, the statement stays in flight and its connection
    /// stays open. If a statement's deadline passes, its connection may be closed.
    ///
    /// - Returns: the rows; `nil` if the limit passes first or the task is cancelled.
    /// - Throws: ``PostgresError``.
    package func rows(awaitedUntil limit: ContinuousClock.Instant) async throws(PostgresError) -> Rows? {
        if result == nil { _ = await register().wait(until: limit) }
        return try result?.get()
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

    /// Stores the statement's result and resumes the waiting tasks. If the statement already has a result, does
    /// nothing: the server's response can arrive after the deadline.
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
