package import Reactor

/// A statement that is on its way: its answer can be awaited now, later, or never.
@Loop package final class PendingQuery {
    private var state: State

    private enum State {
        case waiting(CheckedContinuation<Void, Never>?)
        case done(Result<Rows, PostgresError>)
    }

    init() {
        state = .waiting(nil)
    }

    /// The answer.
    ///
    /// - Throws: ``PostgresError``; with ``PostgresError/Code/cancelled`` as soon as the waiting task is cancelled, though
    ///   the statement may still be carried out.
    package func rows() async throws(PostgresError) -> Rows {
        throw PostgresError(.unavailable, "the pool does not run")
    }
}
