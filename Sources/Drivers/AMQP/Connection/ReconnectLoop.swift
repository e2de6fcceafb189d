internal import Logging
internal import Reactor

/// Keeps a publisher or a consumer connected until it is stopped: connects, waits until the connection ends, waits for
/// a delay (``Backoff``), and connects again.
@Loop final class ReconnectLoop {
    /// If `false`, a lost connection is not replaced: ``run(prepare:attach:)`` then only waits for ``stop()``.
    var reconnects = true

    private let address: @Sendable () throws -> BrokerAddress
    private let name: String
    private let log: Logger
    private let stopped = Signal()
    private let finished = Signal()
    private var isRunning = false
    private var connection: AMQPConnection?
    private var interrupter: SocketInterrupter?
    /// The host of the last connection.
    private var lastHost: BrokerAddress.Host?
    /// The longest delay is shorter than the time limit of a query (5 s). The ingress may reconnect first, and a query
    /// that it then publishes must still reach a worker in time.
    private var backoff = Backoff(.milliseconds(100) ... .seconds(3))

    /// A connection that lasted at least this long resets the backoff.
    private static let stableAfter = Duration.seconds(10)
    /// How long to wait for the broker's answer to connection.close.
    private static let closeTimeout = Duration.seconds(2)

    /// - Parameter address: called for each attempt to connect.
    init(address: @escaping @Sendable () throws -> BrokerAddress, name: String, log: Logger) {
        self.address = address
        self.name = name
        self.log = log
    }

    var isStopped: Bool { stopped.isFired }

    /// Connects and stays connected until ``stop()`` is called or the task is cancelled.
    ///
    /// - Parameters:
    ///   - prepare: prepares each new connection with blocking calls, on another thread.
    ///   - attach: takes over the prepared connection on the loop.
    func run<Value: Sendable>(
        prepare: @escaping @Sendable (BlockingConnection) throws(AMQPError) -> Value,
        attach: (AMQPHandle, Value) throws(AMQPError) -> AMQPConnection
    ) async {
        guard !isRunning, !isStopped else { return }
        isRunning = true
        await withTaskCancellationHandler {
            while !isStopped { await connectOnce(prepare, attach) }
        } onCancel: {
            Loop.perform { self.beginStop() }
        }
        // beginStop() sends connection.close but does not wait for the answer.
        if let connection { await connection.close(within: Self.closeTimeout) }
        connection = nil
        finished.fire()
    }

    private func connectOnce<Value: Sendable>(
        _ prepare: @escaping @Sendable (BlockingConnection) throws(AMQPError) -> Value,
        _ attach: (AMQPHandle, Value) throws(AMQPError) -> AMQPConnection
    ) async {
        do throws(AMQPError) {
            let interrupter = SocketInterrupter()
            self.interrupter = interrupter
            let (handle, value) = try await BlockingConnection.connect(
                to: address, avoiding: lastHost, name: name, interrupter: interrupter, prepare)
            self.interrupter = nil
            lastHost = handle.host
            guard !isStopped, reconnects else { throw AMQPError(.lost, "stopped while connecting") }
            let connection = try attach(handle, value)
            self.connection = connection
            log.info("connected to the broker", metadata: ["connection": "\(name)", "host": "\(handle.host)"])
            let start = ContinuousClock.now
            _ = await connection.ended.waitThroughCancellation()
            self.connection = nil
            if ContinuousClock.now - start >= Self.stableAfter { backoff.reset() }
            await pause("connection to the broker lost", connection.error)
        } catch {
            interrupter = nil
            await pause("cannot connect to the broker", error)
        }
    }

    /// Logs why there is no connection, and waits until the next attempt is due or the loop is stopped.
    private func pause(_ event: Logger.Message, _ error: AMQPError?) async {
        guard !isStopped else { return }
        guard reconnects else { return _ = await stopped.waitThroughCancellation() }
        let delay = backoff.next()
        let cause = error?.cause.map { ": \($0)" } ?? ""
        log.warning(
            event,
            metadata: [
                "connection": "\(name)", "reason": "\(error?.code.description ?? "closed")",
                "code": "\(error?.replyCode ?? 0)", "text": "\(error?.message ?? "")\(cause)", "retryIn": "\(delay)",
            ])
        _ = await stopped.waitThroughCancellation(within: delay)
    }

    private func beginStop() {
        stopped.fire()
        interrupter?.interrupt()
        connection?.beginClose()
    }

    /// Closes the connection, makes ``run(prepare:attach:)`` return, and waits until both have happened.
    func stop() async {
        beginStop()
        if let connection { await connection.close(within: Self.closeTimeout) }
        if isRunning { _ = await finished.waitThroughCancellation() }
    }
}
