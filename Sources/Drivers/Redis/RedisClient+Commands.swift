internal import Reactor

extension RedisClient {
    /// Sends a command and waits for its reply. A cancellation of the task does not end the wait.
    ///
    /// - Parameters:
    ///   - arguments: the words of the command.
    ///   - timeout: how long to wait; by default ``RedisLimits/timeout``.
    /// - Returns: the reply.
    /// - Throws: ``RedisError`` with the code `unavailable` (at once), `timeout` or `connectionLost`, or with the code
    ///   `reply` if the server replies with an error.
    package func send(_ arguments: [RedisArgument], timeout: Duration? = nil) async throws(RedisError) -> RedisValue {
        let now = ContinuousClock.now
        return try await send(arguments, until: now + (timeout ?? limits.timeout), now: now)
    }

    /// Sends a command and waits for its reply until a deadline.
    ///
    /// - Throws: ``RedisError``, as ``send(_:timeout:)`` does.
    package func send(
        _ arguments: [RedisArgument], deadline: ContinuousClock.Instant
    ) async throws(RedisError) -> RedisValue {
        try await send(arguments, until: deadline, now: .now)
    }

    /// Sends a command and passes its reply to a closure. This avoids the cost of a suspension on hot paths.
    ///
    /// - Parameters:
    ///   - arguments: the words of the command.
    ///   - timeout: how long to wait; by default ``RedisLimits/timeout``.
    ///   - completed: called exactly once, on the loop. If the command cannot be sent, it is called before this
    ///     function returns.
    package func send(
        _ arguments: [RedisArgument], timeout: Duration? = nil,
        completed: @escaping @Loop (Result<RedisValue, RedisError>) -> Void
    ) {
        let now = ContinuousClock.now
        send(arguments, until: now + (timeout ?? limits.timeout), now: now, completed: completed)
    }

    func send(
        _ arguments: [RedisArgument], until deadline: ContinuousClock.Instant, now: ContinuousClock.Instant,
        completed: @escaping @Loop (Result<RedisValue, RedisError>) -> Void
    ) {
        guard let connection else {
            return completed(.failure(RedisError(.unavailable, "not connected to Redis", cause: lastFailure)))
        }
        connection.send(arguments, until: deadline, now: now, completed: completed)
    }

    private func send(
        _ arguments: [RedisArgument], until deadline: ContinuousClock.Instant, now: ContinuousClock.Instant
    ) async throws(RedisError) -> RedisValue {
        let result: Result<RedisValue, RedisError> = await withCheckedContinuation { continuation in
            send(arguments, until: deadline, now: now) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }
}
