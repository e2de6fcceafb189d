internal import DequeModule
internal import Glibc
internal import Reactor

/// A connected socket. The server replies to commands in their order, so each reply belongs to the oldest command in
/// flight.
///
/// A connection that has closed is not opened again.
@Loop final class RedisConnection {
    /// A command in flight.
    struct Pending {
        /// `nil` if the command has timed out. The command stays in flight, so that its late reply is not taken for the
        /// reply to the next command.
        var completed: (@Loop (Result<RedisValue, RedisError>) -> Void)?
        let sent: ContinuousClock.Instant
        let deadline: ContinuousClock.Instant
    }

    let limits: RedisLimits
    let descriptor: Int32
    let parser: RedisParser
    var pending = Deque<Pending>()
    var output: [UInt8] = []
    /// The number of bytes at the start of `output` that have been sent.
    var written = 0
    var isSocketFull = false
    var isWatchingWrites = false
    var lastReceived = ContinuousClock.now
    var input = [UInt8](repeating: 0, count: 16384)
    var watch: LoopWatch?
    var hook: LoopHook?
    var sweepTimer: LoopTimer?
    var sweepInstant: ContinuousClock.Instant?
    private(set) var failure: RedisError?
    private let closed = Signal()

    /// Takes ownership of a connected descriptor. If this throws, the descriptor is closed.
    init(descriptor: Int32, limits: RedisLimits) throws(RedisError) {
        guard let parser = RedisParser() else {
            Glibc.close(descriptor)
            throw RedisError(.unavailable, "no memory for a connection")
        }
        self.descriptor = descriptor
        self.limits = limits
        self.parser = parser
        do {
            watch = try Loop.watch(descriptor, for: .readable) { [weak self] in self?.socketReady($0) }
        } catch {
            Glibc.close(descriptor)
            let reason = RedisError(.unavailable, "cannot watch the socket", cause: error)
            failure = reason
            throw reason
        }
        hook = Loop.atEndOfTurn { [weak self] in self?.flush() }
    }

    isolated deinit {
        close(RedisError(.connectionLost, "the connection was released"))
    }

    var isOpen: Bool { failure == nil }

    /// Appends a command to the output. The output is sent at the end of this turn of the loop.
    ///
    /// - Parameter completed: called exactly once. If the command cannot be sent, it is called before this returns.
    func send(
        _ arguments: [RedisArgument], until deadline: ContinuousClock.Instant, now: ContinuousClock.Instant,
        completed: @escaping @Loop (Result<RedisValue, RedisError>) -> Void
    ) {
        if let failure {
            return completed(.failure(RedisError(.unavailable, "the connection has closed", cause: failure)))
        }
        guard pending.count < limits.outstandingCommands else {
            return completed(.failure(RedisError(.unavailable, "too many commands are in flight")))
        }
        guard output.count - written < limits.outstandingBytes else {
            return completed(.failure(RedisError(.unavailable, "too many bytes wait to be sent")))
        }
        guard !arguments.isEmpty else {
            return completed(.failure(RedisError(.protocol, "a command must have at least one word")))
        }
        RedisCommandEncoder.append(arguments, to: &output)
        pending.append(Pending(completed: completed, sent: now, deadline: deadline))
        scheduleSweep(notLaterThan: deadline)
    }

    /// Sends a command and waits for its reply.
    func call(
        _ arguments: [RedisArgument], until deadline: ContinuousClock.Instant
    ) async throws(RedisError) -> RedisValue {
        let result: Result<RedisValue, RedisError> = await withCheckedContinuation { continuation in
            send(arguments, until: deadline, now: .now) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Waits until the connection has closed or the task is cancelled.
    func waitUntilClosed() async {
        _ = await closed.wait()
    }

    /// Closes the socket and fails all commands in flight with the code `connectionLost`. Does nothing if the
    /// connection has already closed.
    func close(_ reason: RedisError) {
        guard failure == nil else { return }
        failure = reason
        watch?.cancel()
        hook?.cancel()
        sweepTimer?.cancel()
        Glibc.close(descriptor)
        output = []
        let lost = RedisError(.connectionLost, "the connection closed before the reply", cause: reason)
        let unanswered = pending
        pending = []
        for command in unanswered { command.completed?(.failure(lost)) }
        closed.fire()
    }
}
