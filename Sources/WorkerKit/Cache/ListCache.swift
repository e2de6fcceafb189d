package import Reactor
package import Redis

/// A cache of pages that are all invalidated at once, by a generation number in their keys.
///
/// A write increments the number; pages of earlier generations are never read again and expire by themselves. A page
/// that was read from the database before a write is stored under the generation before it, where it harms nothing.
@Loop package final class ListCache {
    /// What a look into the cache found.
    package enum Finding: Sendable {
        /// The page.
        case hit([UInt8])
        /// No page; what is read now may be stored under this generation.
        case miss(generation: String)
        /// Redis is away: read, and store nothing.
        case unavailable
    }

    // Both keys have the hash tag of the list's name, so that a Redis cluster keeps them in one slot. A generation
    // that is not there begins at the time, and so never at a number used before.
    private static let look = RedisScript(
        """
        local generation = redis.call('GET', KEYS[1])
        if not generation then
            local time = redis.call('TIME')
            generation = time[1] .. string.format('%06d', time[2])
            redis.call('SET', KEYS[1], generation)
        end
        return {generation, redis.call('GET', KEYS[1] .. ':' .. generation .. ':' .. ARGV[1])}
        """)

    // INCR alone would begin at 1 where the number is not there, and so at one used before.
    private static let advance = """
        if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('INCR', KEYS[1]) end
        local time = redis.call('TIME')
        return redis.call('SET', KEYS[1], time[1] .. string.format('%06d', time[2]))
        """

    private let redis: RedisClient
    private let invalidations: Invalidations
    private let filler: CacheFiller
    private let root: String
    private let lifetime: Duration
    private var isIncrementing = false
    /// Those whose writes came while an increment was under way; told whether to do the next one.
    private var waiting: [CheckedContinuation<Bool, Never>] = []

    /// Makes a cache.
    ///
    /// - Parameters:
    ///   - name: the list's name, the root of its keys: `post:list`.
    ///   - lifetime: how long a page is kept at most, to the second.
    package init(redis: RedisClient, invalidations: Invalidations, name: String, lifetime: Duration) {
        self.redis = redis
        self.invalidations = invalidations
        filler = CacheFiller(redis: redis)
        root = "{\(name)}:generation"
        self.lifetime = lifetime
    }

    /// A page: from the cache, or read and stored, once for all who ask for it at that moment.
    ///
    /// Those who share a reading have seen the same generation, before which it began: it has all that was written when
    /// they asked.
    ///
    /// - Parameter read: reads the page.
    package func body(_ page: String, read: @Loop () async throws -> [UInt8]) async throws -> [UInt8] {
        switch await find(page) {
        case .hit(let body): return body
        case .miss(let generation):
            let key = pageKey(page, generation)
            let body = try await filler.value(
                of: key, lock: "\(key):reading", store: { entry(page, $0, generation) }
            ) { try await read() }
            guard let body else { return try await read() }
            return body
        case .unavailable: return try await read()
        }
    }

    /// Looks for a page.
    package func find(_ page: String) async -> Finding {
        guard let value = try? await redis.run(Self.look, keys: [.string(root)], arguments: [.string(page)]),
            case .array(let parts) = value, parts.count == 2, case .bytes(let generation) = parts[0]
        else { return .unavailable }
        if case .bytes(let body) = parts[1] { return .hit(body) }
        return .miss(generation: String(decoding: generation, as: UTF8.self))
    }

    /// Stores a page under the generation that its miss was found in.
    package func store(_ page: String, _ body: [UInt8], generation: String) async {
        // A page that is not stored is read from the database once more: nothing is wrong then.
        _ = try? await redis.send(entry(page, body, generation))
    }

    private func entry(_ page: String, _ body: [UInt8], _ generation: String) -> [RedisArgument] {
        [
            .string("SET"), .string(pageKey(page, generation)), .bytes(body), .string("EX"),
            .integer(Int(lifetime.components.seconds)),
        ]
    }

    private func pageKey(_ page: String, _ generation: String) -> String { "\(root):\(generation):\(page)" }

    /// Invalidates every page.
    ///
    /// Those who come while an increment is under way share the next one: under load there are fewer of them than writes.
    package func invalidate() async {
        if isIncrementing {
            let isNext = await withCheckedContinuation { continuation in
                // The increment may have ended before there was anyone to tell.
                if isIncrementing { waiting.append(continuation) } else { continuation.resume(returning: true) }
            }
            guard isNext else { return }
        }
        isIncrementing = true
        let covered = waiting
        waiting = []
        await invalidations.send([.string("EVAL"), .string(Self.advance), .integer(1), .string(root)])
        for writer in covered { writer.resume(returning: false) }
        if waiting.isEmpty {
            isIncrementing = false
        } else {
            waiting.removeFirst().resume(returning: true)
        }
    }
}
