internal import Contracts
internal import Logging
internal import Postgres
internal import Reactor

/// Deletes expired refresh tokens and families now and then, a bounded number at a time.
@Loop final class TokenSweeper {
    /// Minutes between two sweeps; chance keeps the workers apart.
    private static let interval = 30...90
    private static let batch = 1000

    private let database: PostgresPool
    private let log: Logger
    private var isClosed = false
    private var timer: LoopTimer?
    private var waiting: CheckedContinuation<Void, Never>?

    init(database: PostgresPool, log: Logger) {
        self.database = database
        self.log = log
    }

    func run() async {
        while !isClosed, !Task.isCancelled {
            await pause()
            guard !isClosed, !Task.isCancelled else { return }
            do {
                try await sweep(at: .now())
            } catch {
                log.warning("expired refresh tokens stay for now", metadata: ["error": "\(error)"])
            }
        }
    }

    func close() {
        isClosed = true
        wake()
    }

    /// Deletes all that has expired by a time.
    func sweep(at now: Timestamp) async throws {
        // Tokens first: a family then takes few of its own with it.
        for statement in [IdentityStatements.sweepTokens, IdentityStatements.sweepFamilies] {
            while try await database.query(statement, now.stored, Self.batch).affected == Self.batch, !isClosed {}
        }
    }

    private func pause() async {
        timer = Loop.schedule(after: .seconds(60 * .random(in: Self.interval))) { self.wake() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // The close or the cancellation may have come before there was anyone to wake.
                if isClosed || Task.isCancelled { continuation.resume() } else { waiting = continuation }
            }
        } onCancel: {
            Loop.perform { self.wake() }
        }
    }

    private func wake() {
        timer?.cancel()
        timer = nil
        waiting?.resume()
        waiting = nil
    }
}
