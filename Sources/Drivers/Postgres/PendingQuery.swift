package import Reactor

/// A statement that is on its way: its answer can be awaited now, later, or never.
@Loop package final class PendingQuery {
    /// Where the statement is, for its deadline.
    enum Place {
        case nowhere
        case queued(UInt64)
        case sent(Connection, number: UInt64)
    }

    var place = Place.nowhere
    /// Told once how the query ended, be it by the server's answer or without one, before anyone who awaits it; returns
    /// what they are told.
    var onAnswer: ((Result<Rows, PostgresError>) -> Result<Rows, PostgresError>)?
    private(set) var answer: Result<Rows, PostgresError>?
    private var waiter: CheckedContinuation<Void, Never>?
    private var furtherWaiters: [CheckedContinuation<Void, Never>] = []
    private var timer: LoopTimer?

    init() {}

    init(failed error: PostgresError) {
        answer = .failure(error)
    }

    /// The answer, which may be asked for more than once.
    ///
    /// - Throws: ``PostgresError``; with ``PostgresError/Code/cancelled`` as soon as the waiting task is cancelled, though
    ///   the statement may still be carried out.
    package func rows() async throws(PostgresError) -> Rows {
        if answer == nil {
            await withTaskCancellationHandler {
                await wait()
            } onCancel: {
                Loop.perform { self.finish(.failure(PostgresError(.cancelled, "the waiting task was cancelled"))) }
            }
        }
        return try outcome.get()
    }

    /// The answer, awaited even by a task that is cancelled.
    func settled() async -> Result<Rows, PostgresError> {
        if answer == nil { await wait() }
        return outcome
    }

    private var outcome: Result<Rows, PostgresError> {
        answer ?? .failure(PostgresError(.protocolViolation, "a statement ended without an answer"))
    }

    private func wait() async {
        await withCheckedContinuation { continuation in
            if answer != nil {
                continuation.resume()
            } else if waiter == nil {
                waiter = continuation
            } else {
                furtherWaiters.append(continuation)
            }
        }
    }

    func expire(at deadline: ContinuousClock.Instant, _ handler: @escaping @Loop (PendingQuery) -> Void) {
        guard answer == nil else { return }
        timer = Loop.schedule(at: deadline) { [weak self] in
            if let self { handler(self) }
        }
    }

    /// Settles the query; a second answer is dropped, as after a deadline.
    func finish(_ result: Result<Rows, PostgresError>) {
        guard answer == nil else { return }
        let tell = onAnswer.take()
        answer = tell?(result) ?? result
        timer?.cancel()
        timer = nil
        place = .nowhere
        waiter?.resume()
        waiter = nil
        for further in furtherWaiters { further.resume() }
        furtherWaiters = []
    }
}
