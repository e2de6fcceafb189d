internal import DequeModule
internal import Glibc
internal import Reactor

/// One connected socket: commands go out in order, replies come back in the same order, each to its own command.
///
/// It is used once: when it has closed, for whatever reason, it stays closed.
@Loop final class RedisConnection {
    /// A command whose reply is to come. One that has timed out keeps its place, so that its late reply,
    /// which nobody waits for any more, is not taken for the next command's.
    struct Pending {
        var completed: (@Loop (Result<RedisValue, RedisError>) -> Void)?
        let sent: ContinuousClock.Instant
        let deadline: ContinuousClock.Instant
    }

    let limits: RedisLimits
    let descriptor: Int32
    let parser: RedisParser
    var pending = Deque<Pending>()
    var output: [UInt8] = []
    var written = 0
    var isBlocked = false
    var isWatchingWrites = false
    var lastReceived = ContinuousClock.now
    var input = [UInt8](repeating: 0, count: 16384)
    var watch: LoopWatch?
    var hook: LoopHook?
    var sweepTimer: LoopTimer?
    var sweepInstant: ContinuousClock.Instant?
    private(set) var failure: RedisError?
    private let closed = Interruption()

    /// Takes over a connected descriptor, which it closes, even when it throws.
    init(descriptor: Int32, limits: RedisLimits) throws(RedisError) {
        guard let parser = RedisParser() else {
            Glibc.close(descriptor)
            throw RedisError(.unavailable, "no memory for a connection")
        }
        self.descriptor = descriptor
        self.limits = limits
        self.parser = parser
        do {
            watch = try Loop.watch(descriptor, for: .readable) { [weak self] ready in self?.isReady(for: ready) }
        } catch {
            Glibc.close(descriptor)
            failure = RedisEndpoint.failure(error.call, error.errno)
            throw RedisEndpoint.failure(error.call, error.errno)
        }
        hook = Loop.atEndOfTurn { [weak self] in self?.flush() }
    }

    isolated deinit {
        close(RedisError(.connectionLost, "the connection was let go of"))
    }

    var isOpen: Bool { failure == nil }

    /// Appends a command to what is written at the end of this turn of the loop.
    ///
    /// - Parameter completed: is called exactly once, at once where the command cannot be sent.
    func send(
        _ arguments: [RedisArgument], until deadline: ContinuousClock.Instant, now: ContinuousClock.Instant,
        completed: @escaping @Loop (Result<RedisValue, RedisError>) -> Void
    ) {
        if let failure { return completed(.failure(RedisError(.unavailable, failure.message))) }
        guard pending.count < limits.outstandingCommands else {
            return completed(.failure(RedisError(.unavailable, "as many commands as allowed are under way")))
        }
        guard output.count - written < limits.outstandingBytes else {
            return completed(.failure(RedisError(.unavailable, "as many bytes as allowed wait to be written")))
        }
        guard !arguments.isEmpty else {
            return completed(.failure(RedisError(.protocol, "a command has at least one word")))
        }
        RedisEncoding.append(arguments, to: &output)
        pending.append(Pending(completed: completed, sent: now, deadline: deadline))
        sweep(notLaterThan: deadline)
    }

    /// Sends a command and waits for its reply.
    func call(
        _ arguments: [RedisArgument], until deadline: ContinuousClock.Instant
    ) async throws(RedisError) -> RedisValue {
        let outcome: Result<RedisValue, RedisError> = await withCheckedContinuation { continuation in
            send(arguments, until: deadline, now: .now) { continuation.resume(returning: $0) }
        }
        return try outcome.get()
    }

    /// Returns when the connection has closed or the task was cancelled.
    func waitUntilClosed() async {
        await closed.wait()
    }

    /// Closes the socket and fails every command that waits with the code `connectionLost`; a second call does nothing.
    func close(_ reason: RedisError) {
        guard failure == nil else { return }
        failure = reason
        watch?.cancel()
        hook?.cancel()
        sweepTimer?.cancel()
        Glibc.close(descriptor)
        output = []
        let lost = RedisError(.connectionLost, reason.message)
        let unanswered = pending
        pending = []
        for command in unanswered { command.completed?(.failure(lost)) }
        closed.finish()
    }
}
