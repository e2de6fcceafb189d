internal import Reactor

/// A Lua script. The first call sends its text, later calls send its SHA-1 digest.
///
/// Keep each script in a static constant, because the object stores the script's digest.
package final class RedisScript: Sendable {
    /// The text of the script.
    package let source: String
    /// The digest that the server returned for the text, or `nil` before the first reply.
    @Loop var digest: String?

    /// Makes a script from its text.
    package init(_ source: String) {
        self.source = source
    }
}

extension RedisClient {
    /// Runs a script by its digest, or by its text if the server does not have the script (after a restart or a flush).
    ///
    /// - Parameters:
    ///   - script: the script.
    ///   - keys: all keys that the script uses; they are `KEYS` in the script.
    ///   - arguments: the other arguments; they are `ARGV` in the script.
    ///   - timeout: how long to wait; by default ``RedisLimits/timeout``.
    /// - Returns: the result of the script.
    /// - Throws: ``RedisError``, as ``send(_:timeout:)`` does.
    package func run(
        _ script: RedisScript, keys: [RedisArgument] = [], arguments: [RedisArgument] = [], timeout: Duration? = nil
    ) async throws(RedisError) -> RedisValue {
        let result: Result<RedisValue, RedisError> = await withCheckedContinuation { continuation in
            run(script, keys: keys, arguments: arguments, timeout: timeout) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Runs a script and passes its result to a closure.
    ///
    /// - Parameters:
    ///   - script: the script.
    ///   - keys: all keys that the script uses; they are `KEYS` in the script.
    ///   - arguments: the other arguments; they are `ARGV` in the script.
    ///   - timeout: how long to wait; by default ``RedisLimits/timeout``.
    ///   - completed: called exactly once, on the loop. If the command cannot be sent, it is called before this
    ///     function returns.
    package func run(
        _ script: RedisScript, keys: [RedisArgument] = [], arguments: [RedisArgument] = [], timeout: Duration? = nil,
        completed: @escaping @Loop (Result<RedisValue, RedisError>) -> Void
    ) {
        let now = ContinuousClock.now
        let deadline = now + (timeout ?? limits.timeout)
        let rest = [RedisArgument(keys.count)] + keys + arguments
        guard let digest = script.digest else {
            send(["SCRIPT", "LOAD", .string(script.source)], until: deadline, now: now) { result in
                if case .success(let value) = result { script.digest = value.string }
            }
            return send(["EVAL", .string(script.source)] + rest, until: deadline, now: now, completed: completed)
        }
        send(["EVALSHA", .string(digest)] + rest, until: deadline, now: now) { result in
            // NOSCRIPT means that the server has not run the script, so sending its text does not run it twice.
            guard case .failure(let error) = result, error.replyPrefix == "NOSCRIPT" else { return completed(result) }
            self.send(["EVAL", .string(script.source)] + rest, until: deadline, now: .now, completed: completed)
        }
    }
}
