package import Reactor
package import Redis

/// A cache of single entities, in which a deleted entity cannot reappear.
///
/// An entry is stored only if its key is free and its reader still has the lock (``CacheFiller``). A delete or a change
/// deletes the lock, and sets the key to an empty value (a tombstone) for 60 s. A query that has read the old row
/// before the change can therefore not store the old row.
@Loop package final class EntityCache {
    /// The lifetime of a tombstone. It is longer than any read, because a query's deadline is 5 s.
    private static let tombstoneSeconds = 60

    private let redis: RedisClient
    private let invalidations: Invalidations
    private let filler: CacheFiller
    private let prefix: String

    /// Makes a cache.
    ///
    /// - Parameters:
    ///   - name: the prefix of the cache's keys, such as `post:one`.
    ///   - lifetime: an entry's lifetime, in whole seconds.
    package init(redis: RedisClient, invalidations: Invalidations, name: String, lifetime: Duration) {
        self.redis = redis
        self.invalidations = invalidations
        prefix = "\(name):"
        filler = CacheFiller(redis: redis, lifetime: lifetime)
    }

    /// Returns an entity's bytes from the cache. If the cache does not have them, reads and stores them. Tasks that
    /// need the same entity at the same time share one reading.
    ///
    /// - Parameter read: reads the entity; `nil` if it does not exist.
    package func body(_ id: String, read: @Loop () async throws -> [UInt8]?) async throws -> [UInt8]? {
        try await filler.value(await lookUp(id), read: read)
    }

    func lookUp(_ id: String) async -> CacheLookup {
        let key = prefix + id
        switch try? await redis.send([.string("GET"), .string(key)]) {
        case .bytes(let bytes): return bytes.isEmpty ? .unavailable : .hit(bytes)
        case .null: return .miss(key: key, lock: Self.lock(of: key))
        default: return .unavailable
        }
    }

    /// Replaces an entity's entry with a tombstone. For 60 s nothing is stored under its key, and readers read the
    /// database.
    package func putTombstone(_ id: String) async {
        let key = prefix + id
        await invalidations.send([
            .string("EVAL"), .string(Self.tombstoneScript), .integer(2), .string(key), .string(Self.lock(of: key)),
            .integer(Self.tombstoneSeconds),
        ])
    }

    private static let tombstoneScript = """
        redis.call('DEL', KEYS[2])
        return redis.call('SET', KEYS[1], '', 'EX', ARGV[1])
        """

    private static func lock(of key: String) -> String { "{\(key)}:reading" }
}
