package import Reactor
package import Redis

/// A cache of single entities, in which a deleted entity cannot reappear.
///
/// A reader reserves the entity's key, and stores the entry only if the key is still reserved for it (``CacheFiller``).
/// A delete or a change sets the key to an empty value (a tombstone) for 60 s. A query that has read the old row before
/// the change can therefore not store the old row.
@Loop package final class EntityCache {
    private let redis: RedisClient
    private let invalidations: Invalidations
    private let filler: CacheFiller
    private let name: String

    /// Makes a cache.
    ///
    /// - Parameters:
    ///   - name: the prefix of the cache's keys, such as `post:one`.
    ///   - lifetime: an entry's lifetime, in whole seconds.
    package init(redis: RedisClient, invalidations: Invalidations, name: String, lifetime: Duration) {
        self.redis = redis
        self.invalidations = invalidations
        self.name = name
        filler = CacheFiller(redis: redis, lifetime: lifetime)
    }

    /// Returns an entity's bytes from the cache. If the cache does not have them, reads and stores them. Tasks that
    /// need the same entity at the same time share one reading.
    ///
    /// - Parameter read: reads the entity; `nil` if it does not exist. The first byte must not be 0.
    package func body(_ id: String, read: @Loop () async throws -> [UInt8]?) async throws -> [UInt8]? {
        try await filler.value(await filler.lookUp(CacheKey.entity(id, of: name, redis.serverID)), read: read)
    }

    /// Replaces an entity's entry with a tombstone. For 60 s nothing is stored under its key, and readers read the
    /// database.
    package func putTombstone(_ id: String) async {
        await invalidations.send(.entity(id, in: name))
    }
}
