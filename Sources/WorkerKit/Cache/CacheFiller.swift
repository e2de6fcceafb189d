internal import Reactor
internal import Redis

/// Has what a cache lacks read once, however many ask for it at the same time.
///
/// Within the process the first one reads and the others share what it got. Between processes a short lock in Redis says
/// who reads; whoever finds it taken looks again for a moment, and then reads too: the lock saves work, and nothing
/// depends on it. Without Redis everyone reads for themselves.
@Loop final class CacheFiller {
    /// How long a reader may keep the others waiting; a process that dies meanwhile keeps them no longer.
    private static let lockMilliseconds = 2000
    /// How long one looks again.
    private static let patience: Duration = .milliseconds(400)
    private static let firstPause: Duration = .milliseconds(5)

    /// The value that is there by now, or 1 for the right to read it, or 0 where another has it.
    private static let claim = RedisScript(
        """
        local value = redis.call('GET', KEYS[1])
        if value then return value end
        if redis.call('SET', KEYS[2], '', 'NX', 'PX', ARGV[1]) then return 1 end
        return 0
        """)

    private let redis: RedisClient
    private var reading: [String: [CheckedContinuation<Result<[UInt8]?, any Error>, Never>]] = [:]

    init(redis: RedisClient) {
        self.redis = redis
    }

    /// The value of a key that a look has just found missing.
    ///
    /// - Parameters:
    ///   - key: where it belongs.
    ///   - lock: another key, in the same slot of a Redis cluster.
    ///   - store: what to send to keep a value there; whether it is stored nobody waits to hear.
    ///   - read: reads it; nothing where it does not exist.
    /// - Throws: what `read` throws, for those who share it too.
    func value(
        of key: String, lock: String, store: ([UInt8]) -> [RedisArgument], read: @Loop () async throws -> [UInt8]?
    ) async throws -> [UInt8]? {
        if reading[key] != nil {
            let shared = await withCheckedContinuation { continuation in
                // The reader may have ended before there was anyone to tell.
                if reading[key]?.append(continuation) == nil { continuation.resume(returning: .success(nil)) }
            }
            // That there was nothing is not shared: it may have come into being since that reader began.
            if let value = try shared.get() { return value }
            return try await read()
        }
        reading[key] = []
        let result: Result<[UInt8]?, any Error>
        do {
            result = .success(try await valueAsReader(key, lock, store, read))
        } catch {
            result = .failure(error)
        }
        for waiting in reading.removeValue(forKey: key) ?? [] { waiting.resume(returning: result) }
        return try result.get()
    }

    private func valueAsReader(
        _ key: String, _ lock: String, _ store: ([UInt8]) -> [RedisArgument], _ read: @Loop () async throws -> [UInt8]?
    ) async throws -> [UInt8]? {
        let end = ContinuousClock.now + Self.patience
        var pause = Self.firstPause
        while true {
            let claimed = try? await redis.run(
                Self.claim, keys: [.string(key), .string(lock)], arguments: [.integer(Self.lockMilliseconds)])
            switch claimed {
            // Another reader was faster; what is empty is a tombstone, beside which nothing is stored.
            case .bytes(let value): return value.isEmpty ? try await read() : value
            case .integer(1): return try await fill(store, read) { self.release(lock) }
            case .integer:
                guard .now + pause < end, (try? await Loop.sleep(for: pause)) != nil else {
                    return try await fill(store, read) {}
                }
                pause *= 2
            default: return try await read()
            }
        }
    }

    private func fill(
        _ store: ([UInt8]) -> [RedisArgument], _ read: @Loop () async throws -> [UInt8]?, _ finished: @Loop () -> Void
    ) async throws -> [UInt8]? {
        defer { finished() }
        guard let value = try await read() else { return nil }
        // What is not stored is read once more by the next one: nothing is wrong then.
        redis.send(store(value)) { _ in }
        return value
    }

    private func release(_ lock: String) {
        // A lock that stays ends by itself.
        redis.send([.string("DEL"), .string(lock)]) { _ in }
    }
}
