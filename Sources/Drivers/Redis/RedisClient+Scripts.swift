internal import Reactor

extension RedisClient {
    /// Runs a script by its SHA-1, and in full where the server does not know it (it was restarted or flushed).
    ///
    /// - Parameters:
    ///   - script: the script.
    ///   - keys: every key it touches, `KEYS` in the script.
    ///   - arguments: the rest, `ARGV` in the script.
    ///   - timeout: how long to wait, instead of the client's ``RedisLimits/timeout``.
    /// - Returns: what the script returned.
    /// - Throws: as ``send(_:timeout:)``.
    package func run(
        _ script: RedisScript, keys: [RedisArgument] = [], arguments: [RedisArgument] = [], timeout: Duration? = nil
    ) async throws(RedisError) -> RedisValue {
        let outcome: Result<RedisValue, RedisError> = await withCheckedContinuation { continuation in
            run(script, keys: keys, arguments: arguments, timeout: timeout) { continuation.resume(returning: $0) }
        }
        return try outcome.get()
    }

    /// Runs a script as above and calls back with what it returned.
    ///
    /// - Parameter completed: is called exactly once, on the loop; before this returns where nothing can be sent.
    package func run(
        _ script: RedisScript, keys: [RedisArgument] = [], arguments: [RedisArgument] = [], timeout: Duration? = nil,
        completed: @escaping @Loop (Result<RedisValue, RedisError>) -> Void
    ) {
        let now = ContinuousClock.now
        let deadline = now + (timeout ?? limits.timeout)
        let rest = [RedisArgument(keys.count)] + keys + arguments
        guard let digest = script.digest else {
            send(["SCRIPT", "LOAD", .string(script.source)], until: deadline, now: now) { outcome in
                if case .success(let value) = outcome { script.digest = value.string }
            }
            return send(["EVAL", .string(script.source)] + rest, until: deadline, now: now, completed: completed)
        }
        send(["EVALSHA", .string(digest)] + rest, until: deadline, now: now) { outcome in
            // A script that is not known has not run: running it in full is not running it twice.
            guard case .failure(let error) = outcome, error.replyPrefix == "NOSCRIPT" else { return completed(outcome) }
            self.send(["EVAL", .string(script.source)] + rest, until: deadline, now: .now, completed: completed)
        }
    }
}
