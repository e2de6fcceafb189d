internal import Reactor
internal import Redis

/// The result of looking up a cache entry.
enum CacheLookup: Sendable, Hashable {
    /// The entry's value.
    case hit([UInt8])
    /// No entry. The value may be stored under `key`; `lock` is a key in the same slot of a Redis cluster.
    case miss(key: String, lock: String)
    /// A tombstone, or no Redis: the value must be read and must not be stored.
    case unavailable
}

/// Reads values that are missing from a cache and stores them, each once however many tasks ask for it at the same time
/// (single flight).
///
/// Within the process the first task reads and the others share its result. Between processes a short lock in Redis
/// decides which one reads; a process that finds it taken looks for the value again for a moment, and then reads too.
/// The lock saves work, and correctness does not depend on it. Without Redis every task reads for itself.
@Loop final class CacheFiller {
    /// The lock's lifetime, which bounds the wait for a process that died.
    private static let lockMilliseconds = 2000
    /// How long to look for the value of another process.
    private static let lookLimit: Duration = .milliseconds(400)
    private static let pauses: ClosedRange<Duration> = .milliseconds(5) ... .milliseconds(160)

    /// Returns the value if it is present, 1 if the caller has taken the lock, 0 if another process has it.
    private static let claim = RedisScript(
        """
        local value = redis.call('GET', KEYS[1])
        if value then return value end
        if redis.call('SET', KEYS[2], '', 'NX', 'PX', ARGV[1]) then return 1 end
        return 0
        """)

    /// Makes the command that stores a value under a key.
    typealias Store = @Loop (_ key: String, _ value: [UInt8]) -> [RedisArgument]

    private let redis: RedisClient
    private let store: Store
    /// The tasks that share each reading, by its key.
    private var reading: [String: [Waiter<Result<[UInt8]?, any Error>>]] = [:]

    init(redis: RedisClient, store: @escaping Store) {
        self.redis = redis
        self.store = store
    }

    /// Returns the value that a lookup found, or reads it and stores it.
    ///
    /// - Parameter read: reads the value; `nil` if it does not exist.
    /// - Throws: the error of `read`, also for the tasks that share it.
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
        if reading[key] != nil {
            let waiter = Waiter<Result<[UInt8]?, any Error>>()
            reading[key]?.append(waiter)
            if let value = try await waiter.waitThroughCancellation()?.get() ?? nil { return value }
            // The absence of a value is not shared: it may have been created after that reading began.
            return try await read()
        }
        reading[key] = []
        let result: Result<[UInt8]?, any Error>
        do {
            result = .success(try await readAsFirst(key, lock, read))
        } catch {
            result = .failure(error)
        }
        for waiter in reading.removeValue(forKey: key) ?? [] { waiter.resume(returning: result) }
        return try result.get()
    }

    private func readAsFirst(
        _ key: String, _ lock: String, _ read: @Loop () async throws -> [UInt8]?
    ) async throws -> [UInt8]? {
        let end = ContinuousClock.now + Self.lookLimit
        var backoff = Backoff(Self.pauses)
        while true {
            let claimed = try? await redis.run(
                Self.claim, keys: [.string(key), .string(lock)], arguments: [.integer(Self.lockMilliseconds)])
            switch claimed {
            // An empty value is a tombstone, and nothing is stored beside it.
            case .bytes(let value): return value.isEmpty ? try await read() : value
            case .integer(1):
                defer { release(lock) }
                return try await readAndStore(key, read)
            case .integer:
                let pause = backoff.next()
                guard .now + pause < end, (try? await Loop.sleep(for: pause)) != nil else {
                    return try await readAndStore(key, read)
                }
            default: return try await read()
            }
        }
    }

    private func readAndStore(
        _ key: String, _ read: @Loop () async throws -> [UInt8]?
    ) async throws -> [UInt8]? {
        guard let value = try await read() else { return nil }
        // A failure to store costs one more reading and needs no handling.
        redis.send(store(key, value)) { _ in }
        return value
    }

    private func release(_ lock: String) {
        // If this fails, the lock expires.
        redis.send([.string("DEL"), .string(lock)]) { _ in }
    }
}
