package import Logging
package import Reactor

/// A client with one connection, which it makes anew whenever it breaks.
///
/// Commands of one turn of the loop are written together and answered in order. Nothing is queued while the server
/// is away: commands fail at once, since what Redis holds here (caches, counters) can be done without.
@Loop package final class RedisClient {
    /// Called each time a connection is ready, before anything else can be sent over it.
    package var onConnect: (@Loop () -> Void)?
    /// Why there is no connection, where the last attempt failed.
    package internal(set) var lastFailure: RedisError?

    let address: RedisAddress
    let name: String
    let limits: RedisLimits
    let log: Logger
    var connection: RedisConnection?
    var candidate: RedisConnection?
    var pause: Interruption?
    var isClosed = false
    var isRunning = false
    private var ended: [Interruption] = []

    /// Makes a client, which connects when it is run.
    ///
    /// - Parameters:
    ///   - address: the server.
    ///   - name: what `CLIENT LIST` shows; other characters than visible ASCII become dashes.
    ///   - limits: how long it waits and how much it holds.
    ///   - log: is told when a connection is made, lost or refused.
    package nonisolated init(address: RedisAddress, name: String, limits: RedisLimits = RedisLimits(), log: Logger) {
        self.address = address
        self.name = String(name.map { $0.isASCII && $0 > " " && $0 <= "~" ? $0 : "-" })
        self.limits = limits
        self.log = log
    }

    /// Whether commands can be sent now.
    package var isConnected: Bool { connection?.isOpen ?? false }

    /// Keeps the client connected until it is closed or the task is cancelled.
    ///
    /// A second call while the first runs returns at once.
    package func run() async {
        guard !isRunning, !isClosed else { return }
        isRunning = true
        var backoff = Backoff(limits.backoff)
        while !isClosed, !Task.isCancelled {
            do {
                try await connect()
                backoff.reset()
                await connection?.waitUntilClosed()
                reportLoss()
            } catch {
                lastFailure = error
                candidate?.close(error)
                if !isClosed, !Task.isCancelled {
                    log.warning("redis is not available", metadata: ["reason": "\(error)", "host": "\(address.host)"])
                }
            }
            candidate = nil
            connection = nil
            guard !isClosed, !Task.isCancelled else { break }
            await wait(Interruption(), atMost: backoff.next())
        }
        isRunning = false
        for interruption in ended { interruption.finish() }
        ended = []
    }

    /// Fails what is under way with the code `connectionLost` and closes the connection; ``run()`` ends soon after.
    package func stop() {
        isClosed = true
        let reason = RedisError(.unavailable, "the client was closed")
        lastFailure = reason
        candidate?.close(reason)
        connection?.close(reason)
        pause?.finish()
    }

    /// Stops the client and waits for ``run()`` to end; a second call does no harm.
    package func close() async {
        stop()
        guard isRunning else { return }
        let end = Interruption()
        ended.append(end)
        await end.wait()
    }

    /// Waits in a way that ``close()`` can end.
    func wait(_ interruption: Interruption, atMost limit: Duration) async {
        guard !isClosed else { return }
        pause = interruption
        await interruption.wait(atMost: limit)
        pause = nil
    }

    private func reportLoss() {
        // Where the task was cancelled, the connection is still open.
        connection?.close(RedisError(.unavailable, "the client was stopped"))
        guard !isClosed, let failure = connection?.failure else { return }
        lastFailure = failure
        guard !Task.isCancelled else { return }
        log.warning("redis connection lost", metadata: ["reason": "\(failure)", "host": "\(address.host)"])
    }
}
