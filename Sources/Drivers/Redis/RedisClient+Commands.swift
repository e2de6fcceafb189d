internal import Reactor

extension RedisClient {
    /// Sends a command and waits for its reply.
    ///
    /// Cancelling the task does not end the wait: the time does.
    ///
    /// - Parameters:
    ///   - arguments: the command's words.
    ///   - timeout: how long to wait, instead of the client's ``RedisLimits/timeout``.
    /// - Returns: the reply, which is not an error.
    /// - Throws: ``RedisError``: `unavailable` at once where there is no connection, `timeout`, `connectionLost`, or
    ///   `reply` with the server's own error.
    package func send(_ arguments: [RedisArgument], timeout: Duration? = nil) async throws(RedisError) -> RedisValue {
        let now = ContinuousClock.now
        return try await send(arguments, until: now + (timeout ?? limits.timeout), now: now)
    }

    /// Sends a command and waits for its reply until an instant.
    ///
    /// - Throws: as ``send(_:timeout:)``.
    package func send(
        _ arguments: [RedisArgument], deadline: ContinuousClock.Instant
    ) async throws(RedisError) -> RedisValue {
        try await send(arguments, until: deadline, now: .now)
    }

    /// Sends a command and calls back with its reply, for paths on which a suspension would cost too much.
    ///
    /// - Parameters:
    ///   - arguments: the command's words.
    ///   - timeout: how long to wait, instead of the client's ``RedisLimits/timeout``.
    ///   - completed: is called exactly once, on the loop; before this returns where the command cannot be sent.
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
            let reason = lastFailure?.message ?? "not connected yet"
            return completed(.failure(RedisError(.unavailable, reason)))
        }
        connection.send(arguments, until: deadline, now: now, completed: completed)
    }

    private func send(
        _ arguments: [RedisArgument], until deadline: ContinuousClock.Instant, now: ContinuousClock.Instant
    ) async throws(RedisError) -> RedisValue {
        let outcome: Result<RedisValue, RedisError> = await withCheckedContinuation { continuation in
            send(arguments, until: deadline, now: now) { continuation.resume(returning: $0) }
        }
        return try outcome.get()
    }
}
