internal import Logging
internal import Reactor

/// The life of a publisher or consumer: connected, lost, connected anew, until it is stopped.
@Loop final class Life {
    private let address: BrokerAddress
    private let name: String
    private let log: Logger
    private let stopped = Signal()
    private let finished = Signal()
    private var isRunning = false
    private var connection: Connection?
    private var interrupter: Interrupter?
    private var backoff = Backoff(.milliseconds(100) ... .seconds(10))

    /// A connection that lasted this long was a good one: the next loss begins with short delays again.
    private static let lasting = Duration.seconds(10)
    /// How long the broker may take to answer the goodbye.
    private static let goodbye = Duration.seconds(2)

    init(address: BrokerAddress, name: String, log: Logger) {
        self.address = address
        self.name = name
        self.log = log
    }

    var isStopped: Bool { stopped.isFired }

    /// Whether a connection that is lost is not to be made anew.
    var isParked = false

    /// Connects and stays connected until ``stop()`` or until the task is cancelled.
    ///
    /// - Parameters:
    ///   - setUp: is done on another thread, with blocking calls, for each connection.
    ///   - attach: takes the connection over on the loop.
    func run<Value: Sendable>(
        setUp: @escaping @Sendable (SetUp) throws(BrokerError) -> Value,
        attach: (Handle, Value) throws(BrokerError) -> Connection
    ) async {
        guard !isRunning, !isStopped else { return }
        isRunning = true
        await withTaskCancellationHandler {
            while !isStopped { await connectOnce(setUp, attach) }
        } onCancel: {
            Loop.perform { self.beginStop() }
        }
        // The goodbye may be under way still.
        if let connection { await connection.close(within: Self.goodbye) }
        connection = nil
        finished.fire()
    }

    private func connectOnce<Value: Sendable>(
        _ setUp: @escaping @Sendable (SetUp) throws(BrokerError) -> Value,
        _ attach: (Handle, Value) throws(BrokerError) -> Connection
    ) async {
        do throws(BrokerError) {
            let interrupter = Interrupter()
            self.interrupter = interrupter
            let (handle, value) = try await SetUp.run(
                address: address, name: name, interrupter: interrupter, setUp)
            self.interrupter = nil
            guard !isStopped, !isParked else { throw BrokerError(kind: .lost, text: "no longer wanted") }
            let connection = try attach(handle, value)
            self.connection = connection
            log.info("connected to the broker", metadata: ["connection": "\(name)"])
            let start = ContinuousClock.now
            _ = await connection.ended.waitThroughCancellation()
            self.connection = nil
            if ContinuousClock.now - start >= Self.lasting { backoff.reset() }
            await pause(after: connection.error)
        } catch {
            interrupter = nil
            await pause(after: error)
        }
    }

    private func pause(after error: BrokerError?) async {
        guard !isStopped else { return }
        guard !isParked else { return _ = await stopped.waitThroughCancellation() }
        let delay = backoff.next()
        log.warning(
            "no connection to the broker",
            metadata: [
                "connection": "\(name)", "reason": "\(error?.kind.rawValue ?? "closed")",
                "code": "\(error?.code ?? 0)", "text": "\(error?.text ?? "")", "retryIn": "\(delay)",
            ])
        _ = await stopped.waitThroughCancellation(within: delay)
    }

    private func beginStop() {
        stopped.fire()
        interrupter?.interrupt()
        connection?.beginClose()
    }

    /// Says goodbye to the broker and has ``run(setUp:attach:)`` return; waits for both.
    func stop() async {
        beginStop()
        if let connection { await connection.close(within: Self.goodbye) }
        if isRunning { _ = await finished.waitThroughCancellation() }
    }
}
