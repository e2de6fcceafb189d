internal import Reactor
internal import Redis

/// The result of looking up a cache entry.
enum CacheLookup: Sendable, Hashable {
    /// The entry's value.
    case hit([UInt8])
    /// There is no entry. The value may be stored under `key`. `lock` is the key of a lock, in the same slot of a Redis
    /// cluster.
    case miss(key: String, lock: String)
    /// The entry is a tombstone, or Redis is not available. The value must be read, but must not be stored.
    case unavailable
}

/// Reads values that are missing from a cache, and stores them. If several tasks need a value at the same time, it is
/// read once (single flight).
///
/// Within a process, the first task reads the value and the other tasks share its result. Between processes, a short
/// lock in Redis decides which process reads. A process that does not get the lock looks for the value again for up to
/// 400 ms, and then reads the value itself, without storing it. If Redis is not available, every task reads the value
/// itself.
///
/// A process stores a value only if it still has the lock. A change of the entity deletes the lock, so a value that was
/// read before the change is not stored after it. This also holds if Redis has evicted the lock or a tombstone.
@Loop final class CacheFiller {
    /// The lifetime of the lock. It is longer than any read, because a query's deadline is 5 s. The lock of a process
    /// that has died expires after this time.
    private static let lockMilliseconds = 6000
    /// How long a process without the lock looks for the value before it reads the value itself.
    private static let lookLimit: Duration = .milliseconds(400)
    /// The shortest and the longest pause between two looks.
    private static let pauses: ClosedRange<Duration> = .milliseconds(5) ... .milliseconds(160)

    /// Returns the value if it is present, 1 if the caller has got the lock, and 0 if another process has the lock. The
    /// value of the lock is a random token of its owner.
    private static let claim = RedisScript(
        """
        local value = redis.call('GET', KEYS[1])
        if value then return value end
        if redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[1]) then return 1 end
        return 0
        """)

    /// Stores the value if the caller has the lock and the key is free, and releases the lock.
    private static let store = RedisScript(
        """
        if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[2], 'NX', 'EX', ARGV[3])
        return redis.call('DEL', KEYS[2])
        """)

    private let redis: RedisClient
    /// The lifetime of a stored value, in whole seconds.
    private let lifetime: Int
    /// The tasks that wait for the result of a running reading, by the key of the value that is read.
    private var readings: [String: [Waiter<Result<[UInt8]?, any Error>>]] = [:]

    init(redis: RedisClient, lifetime: Duration) {
        self.redis = redis
        self.lifetime = Int(lifetime.components.seconds)
    }

    /// Returns the value that a lookup has found. If the lookup has found none, reads and stores the value.
    ///
    /// - Parameter read: reads the value; `nil` if it does not exist.
    /// - Throws: the error of `read`. All tasks that share the reading get this error.
    func value(
        _ lookup: CacheLookup, read: @Loop () async throws -> [UInt8]?
    ) async throws -> [UInt8]? {
        switch lookup {
        case .hit(let value): value
        case .miss(let key, let lock): try await missingValue(key, lock, read)
        case .unavailable: try await read()
        }
    }

    private func missingValue(
        _ key: String, _ lock: String, _ read: @Loop () async throws -> [UInt8]?
    ) async throws -> [UInt8]? {
        if readings[key] != nil {
            let waiter = Waiter<Result<[UInt8]?, any Error>>()
            readings[key]?.append(waiter)
            if let value = try await waiter.waitThroughCancellation()?.get() ?? nil { return value }
            // A reading without a value is not shared, because the value may have been created after the reading began.
            return try await read()
        }
        readings[key] = []
        let result: Result<[UInt8]?, any Error>
        do {
            result = .success(try await readAsFirst(key, lock, read))
        } catch {
            result = .failure(error)
        }
        for waiter in readings.removeValue(forKey: key) ?? [] { waiter.resume(returning: result) }
        return try result.get()
    }

    private func readAsFirst(
        _ key: String, _ lock: String, _ read: @Loop () async throws -> [UInt8]?
    ) async throws -> [UInt8]? {
        let end = ContinuousClock.now + Self.lookLimit
        let token = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        var backoff = Backoff(Self.pauses)
        while true {
            let claimed = try? await redis.run(
                Self.claim, keys: [.string(key), .string(lock)],
                arguments: [.integer(Self.lockMilliseconds), .string(token)])
            switch claimed {
            // An empty value is a tombstone. The value is then read and not stored.
            case .bytes(let value): return value.isEmpty ? try await read() : value
            case .integer(1):
                return try await readAndStore(key, lock, token, read)
            case .integer:
                let pause = backoff.next()
                guard .now + pause < end, (try? await Loop.sleep(for: pause)) != nil else {
                    return try await read()
                }
            default: return try await read()
            }
        }
    }

    private func readAndStore(
        _ key: String, _ lock: String, _ token: String, _ read: @Loop () async throws -> [UInt8]?
    ) async throws -> [UInt8]? {
        let value: [UInt8]?
        do {
            value = try await read()
        } catch {
            release(lock)
            throw error
        }
        guard let value else {
            release(lock)
            return nil
        }
        // If the value is not stored, it is only read once more, so a failure is ignored.
        redis.run(
            Self.store, keys: [.string(key), .string(lock)],
            arguments: [.string(token), .bytes(value), .integer(lifetime)]
        ) { _ in }
        return value
    }

    private func release(_ lock: String) {
        // If this fails, the lock expires. If another process has got the lock meanwhile, it does not store its value.
        redis.send([.string("DEL"), .string(lock)]) { _ in }
    }
}
