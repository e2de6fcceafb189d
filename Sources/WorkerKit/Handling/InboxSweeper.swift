internal import Logging
internal import Postgres
internal import Reactor

/// Forgets carried-out commands once nobody can send them again.
@Loop final class InboxSweeper {
    /// How long a command's reply is kept: longer than any client retries and any message waits.
    private static let retention: Duration = .seconds(7 * 24 * 3600)
    /// Minutes between two sweeps; chance keeps the workers of a service apart.
    private static let interval = 30...90

    private let pool: PostgresPool
    private let log: Logger
    private var isClosed = false
    private var wake: CheckedContinuation<Void, Never>?
    private var timer: LoopTimer?

    init(pool: PostgresPool, log: Logger) {
        self.pool = pool
        self.log = log
    }

    func run() async {
        while !isClosed, !Task.isCancelled {
            await pause()
            if !isClosed, !Task.isCancelled { await sweep() }
        }
    }

    func close() {
        isClosed = true
        resume()
    }

    private func sweep() async {
        do {
            while try await Inbox.sweep(olderThan: Self.retention, in: pool) >= 5000, !isClosed {}
        } catch {
            log.warning("old commands could not be forgotten", metadata: ["error": "\(error)"])
        }
    }

    private func pause() async {
        timer = Loop.schedule(after: .seconds(60 * .random(in: Self.interval))) { self.resume() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // The close or the cancellation may have come before there was anyone to wake.
                if isClosed || Task.isCancelled { continuation.resume() } else { wake = continuation }
            }
        } onCancel: {
            Loop.perform { self.resume() }
        }
    }

    private func resume() {
        timer?.cancel()
        wake?.resume()
        wake = nil
    }
}
