package import Logging
package import Reactor

/// A Redis client with one connection. It reconnects while it runs.
///
/// The commands of one turn of the loop are sent together, and the server replies in order. Without a connection a
/// command fails at once instead of waiting, because Warren can do without the caches and counters that Redis holds.
@Loop package final class RedisClient {
    /// Called as soon as a new connection is logged in, before any other code can send a command over it.
    package var onConnect: (@Loop () -> Void)?
    /// Called when the connection is made or lost, and after each attempt to connect that fails.
    package var onAvailabilityChange: (@Loop () -> Void)?
    /// The `run_id` of the server of the last connection, which is unique to one start of one server; empty before the
    /// first connection, or if the client does not ask for it.
    package internal(set) var serverID = ""
    /// The reason why there is no connection. `nil` if there is a connection, or if no attempt to connect has failed
    /// yet.
    var lastFailure: RedisError? {
        didSet { onAvailabilityChange?() }
    }

    let address: @Sendable () throws -> RedisAddress
    /// The host of the last attempt to connect, for log lines.
    var host = ""
    let name: String
    let limits: RedisLimits
    let log: Logger
    let identifiesServer: Bool
    var connection: RedisConnection?
    /// The connection that is logging in.
    var candidate: RedisConnection?
    /// The wait until the socket is connected. ``stop()`` ends it.
    var socketWait: Waiter<Readiness>?
    private let stopped = Signal()
    /// Fires when ``run()`` returns; `nil` if it is not running.
    private var finished: Signal?

    /// Makes a client. It connects when ``run()`` is called.
    ///
    /// - Parameters:
    ///   - address: the server. Evaluated for each connection, so that a new password is used.
    ///   - name: the client's name in `CLIENT LIST`. Characters other than visible ASCII are replaced by dashes.
    ///   - limits: timeouts, and limits on the commands in flight.
    ///   - identifiesServer: whether to ask each server for its ``serverID``. The user then needs the command
    ///     `INFO server`.
    ///   - log: receives an entry for each connection that is made or lost, and for each attempt that fails.
    package nonisolated init(
        address: @autoclosure @escaping @Sendable () throws -> RedisAddress, name: String,
        limits: RedisLimits = RedisLimits(), identifiesServer: Bool = false, log: Logger
    ) {
        self.address = address
        self.name = String(name.map { $0.isASCII && $0 > " " && $0 <= "~" ? $0 : "-" })
        self.limits = limits
        self.identifiesServer = identifiesServer
        self.log = log
    }

    /// Whether commands can be sent now.
    package var isConnected: Bool { connection?.isOpen ?? false }

    /// Whether the connection was lost, or an attempt to connect has failed, and no connection has been made since.
    package var isUnavailable: Bool { lastFailure != nil && !isConnected }

    var isStopped: Bool { stopped.isFired }

    /// Connects and reconnects until ``close()`` is called or the task is cancelled.
    ///
    /// Returns at once if it is already running or the client has been closed.
    package func run() async {
        guard finished == nil, !isStopped else { return }
        let finished = Signal()
        self.finished = finished
        var backoff = Backoff(limits.backoff)
        while !isStopped, !Task.isCancelled {
            do {
                try await connect()
                backoff.reset()
                await connection?.waitUntilClosed()
                endConnection()
            } catch {
                lastFailure = error
                candidate?.close(error)
                if !isStopped, !Task.isCancelled {
                    log.warning(
                        "cannot connect to Redis", metadata: ["reason": "\(error)", "host": "\(host)"])
                }
            }
            candidate = nil
            connection = nil
            guard !Task.isCancelled else { break }
            _ = await stopped.wait(within: backoff.next())
        }
        self.finished = nil
        finished.fire()
    }

    /// Closes the connection and makes ``run()`` return. Commands in flight fail with the code `connectionLost`.
    func stop() {
        let reason = RedisError(.unavailable, "the client was closed")
        lastFailure = reason
        stopped.fire()
        socketWait?.cancel()
        candidate?.close(reason)
        connection?.close(reason)
    }

    /// Closes the connection and waits until ``run()`` has returned. Commands in flight fail with the code
    /// `connectionLost`.
    package func close() async {
        stop()
        _ = await finished?.wait()
    }

    private func endConnection() {
        // If the task was cancelled, the connection is still open.
        connection?.close(RedisError(.unavailable, "the client's task was cancelled"))
        guard !isStopped, let failure = connection?.failure else { return }
        lastFailure = failure
        guard !Task.isCancelled else { return }
        log.warning("connection to Redis lost", metadata: ["reason": "\(failure)", "host": "\(host)"])
    }
}
