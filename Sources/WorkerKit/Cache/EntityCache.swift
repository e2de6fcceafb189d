package import Reactor
package import Redis

/// A cache of single things, in which what was deleted cannot come back.
///
/// An entry is filled only where its key is free (`SET … NX`), and a delete puts a tombstone there first, which outlives
/// every reader that may still hold the old row.
@Loop package final class EntityCache {
    /// What a look into the cache found.
    package enum Finding: Sendable {
        /// The thing's bytes.
        case hit([UInt8])
        /// Nothing; what is read now may be stored.
        case miss
        /// A tombstone, or no Redis: read, and store nothing.
        case unavailable
    }

    /// Longer than any reader lives: a query's deadline is 5 s.
    private static let tombstoneSeconds = 60

    private let redis: RedisClient
    private let invalidations: Invalidations
    private let filler: CacheFiller
    private let prefix: String
    private let lifetime: Duration

    /// Makes a cache.
    ///
    /// - Parameters:
    ///   - name: the root of its keys: `post:one`.
    ///   - lifetime: how long an entry is kept at most, to the second.
    package init(redis: RedisClient, invalidations: Invalidations, name: String, lifetime: Duration) {
        self.redis = redis
        self.invalidations = invalidations
        filler = CacheFiller(redis: redis)
        prefix = "\(name):"
        self.lifetime = lifetime
    }

    /// A thing's bytes: from the cache, or read and stored, once for all who ask for it at that moment.
    ///
    /// - Parameter read: reads the thing; nothing where there is none.
    package func body(_ id: String, read: @Loop () async throws -> [UInt8]?) async throws -> [UInt8]? {
        switch await find(id) {
        case .hit(let bytes): return bytes
        case .miss:
            let key = prefix + id
            return try await filler.value(of: key, lock: "{\(key)}:reading", store: { entry(id, $0) }, read: read)
        case .unavailable: return try await read()
        }
    }

    /// Looks for a thing.
    package func find(_ id: String) async -> Finding {
        guard let value = try? await redis.send([.string("GET"), .string(prefix + id)]) else { return .unavailable }
        switch value {
        case .bytes(let bytes): return bytes.isEmpty ? .unavailable : .hit(bytes)
        case .null: return .miss
        default: return .unavailable
        }
    }

    /// Stores a thing, unless its key holds something, a tombstone above all.
    package func fill(_ id: String, _ bytes: [UInt8]) async {
        // What is not stored is read from the database once more: nothing is wrong then.
        _ = try? await redis.send(entry(id, bytes))
    }

    /// Puts a tombstone in a thing's place: for a while nothing is stored there, and readers go to the database.
    package func bury(_ id: String) async {
        await invalidations.send([
            .string("SET"), .string(prefix + id), .string(""), .string("EX"), .integer(Self.tombstoneSeconds),
        ])
    }

    private func entry(_ id: String, _ bytes: [UInt8]) -> [RedisArgument] {
        [
            .string("SET"), .string(prefix + id), .bytes(bytes), .string("NX"), .string("EX"),
            .integer(Int(lifetime.components.seconds)),
        ]
    }
}
