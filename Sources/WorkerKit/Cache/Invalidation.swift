internal import Contracts
internal import Redis

/// An invalidation of an entity or of a list. It can be sent to any Redis server.
struct Invalidation: Sendable, Hashable {
    /// The lifetime of a tombstone, in seconds. It is longer than any read, because a query's deadline is 5 s.
    private static let tombstoneLifetime = 60

    /// The name of the cache.
    let cache: String
    /// The id of the entity; `nil` if the cache is a list.
    let entity: String?
    /// The list's pause between two generations, in microseconds.
    let pause: Int

    /// Replaces the entry of an entity with a tombstone.
    static func entity(_ id: String, in cache: String) -> Invalidation {
        Invalidation(cache: cache, entity: id, pause: 0)
    }

    /// Begins a new generation of a list, at once or at the end of the pause.
    static func list(_ cache: String, pause: Int) -> Invalidation {
        Invalidation(cache: cache, entity: nil, pause: pause)
    }

    /// Returns the command for a server.
    func command(for serverID: String) -> [RedisArgument] {
        if let entity {
            let key = CacheKey.entity(entity, of: cache, serverID)
            return [.string("SET"), .string(key), .string(""), .string("EX"), .integer(Self.tombstoneLifetime)]
        }
        let key = CacheKey.generation(of: cache, serverID)
        return [.string("EVAL"), .string(ListCache.advanceScript), .integer(1), .string(key), .integer(pause)]
    }
}

/// The keys of caches in Redis.
///
/// Each key has the id of the server's process. Therefore a server that has older data, such as a replica that was
/// promoted or a server that has loaded a snapshot, does not return entries that were invalidated on another server. If
/// the workers return to a process that they have left, its own entries can be outdated until they expire.
enum CacheKey {
    /// Returns the key of an entity's entry.
    static func entity(_ id: String, of cache: String, _ serverID: String) -> String { "\(cache):\(serverID):\(id)" }

    /// Returns the key of a list's generation. The keys of a list have the same hash tag, the part in braces, so a
    /// Redis cluster keeps them in one slot.
    static func generation(of cache: String, _ serverID: String) -> String { "{\(cache):\(serverID)}:generation" }

    /// Returns the beginning of the keys of a list's pages. The generation, a colon and the page follow.
    static func pages(of cache: String, _ serverID: String) -> String { "{\(cache):\(serverID)}:page:" }
}
