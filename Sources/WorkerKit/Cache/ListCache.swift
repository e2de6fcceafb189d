package import Reactor
package import Redis

/// A cache of pages that are invalidated together, by a generation number in their keys.
///
/// A write increments the generation. Pages of earlier generations are not read any more; they stay in Redis until they
/// expire. A page that was read from the database before a write is stored under the generation that was current before
/// the write, so later readers do not find it.
@Loop package final class ListCache {
    // All keys of a list have the list's name as their hash tag, so a Redis cluster keeps them in one slot. If Redis
    // has lost the generation, it is set to the time in microseconds, which is greater than every number used before.
    //
    // A missing page is reserved for the reader, as CacheFiller.lookUp(_:) does.
    private static let lookUpScript = RedisScript(
        """
        local generation = redis.call('GET', KEYS[1])
        if not generation then
            local time = redis.call('TIME')
            generation = time[1] .. string.format('%06d', time[2])
            redis.call('SET', KEYS[1], generation)
        end
        local page = ARGV[1] .. generation .. ARGV[2]
        return {generation, redis.call('SET', page, ARGV[3], 'NX', 'GET', 'PX', ARGV[4])}
        """)

    // INCR alone would restart a lost generation at 1 each time, so numbers would repeat.
    private static let advanceScript = """
        if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('INCR', KEYS[1]) end
        local time = redis.call('TIME')
        return redis.call('SET', KEYS[1], time[1] .. string.format('%06d', time[2]))
        """

    private let redis: RedisClient
    private let invalidations: Invalidations
    private let filler: CacheFiller
    private let generationKey: String
    /// The key of a page consists of this prefix, the generation, a colon and the page.
    private let pageKeyPrefix: String
    /// The writers that wait for an increment. A writer that is resumed with `true` must do the next increment. For a
    /// writer that is resumed with `false`, another writer has done it.
    private var writers = BatchQueue<Waiter<Bool>>(limit: .max)

    /// Makes a cache.
    ///
    /// - Parameters:
    ///   - name: the list's name, such as `post:list`. All keys begin with the name in braces.
    ///   - lifetime: a page's lifetime, in whole seconds.
    package init(redis: RedisClient, invalidations: Invalidations, name: String, lifetime: Duration) {
        self.redis = redis
        self.invalidations = invalidations
        generationKey = "{\(name)}:generation"
        pageKeyPrefix = "{\(name)}:page:"
        filler = CacheFiller(redis: redis, lifetime: lifetime)
    }

    /// Returns a page from the cache. If the cache does not have the page, reads and stores it. Tasks that need the
    /// same page at the same time share one reading.
    ///
    /// A task shares a reading only if it has seen the same generation as the task that reads. The page therefore
    /// includes every write whose invalidation ended before the task asked for the page.
    ///
    /// - Parameter read: reads the page.
    package func body(_ page: String, read: @Loop () async throws -> [UInt8]) async throws -> [UInt8] {
        let body = try await filler.value(await lookUp(page)) { try await read() }
        if let body { return body }
        return try await read()
    }

    private func lookUp(_ page: String) async -> CacheLookup {
        let marker = filler.newMarker()
        let result = try? await redis.run(
            Self.lookUpScript, keys: [.string(generationKey)],
            arguments: [
                .string(pageKeyPrefix), .string(":\(page)"), .bytes(marker),
                .integer(CacheFiller.reservationLifetime),
            ])
        guard case .array(let parts)? = result, parts.count == 2, case .bytes(let generation) = parts[0]
        else { return .unavailable }
        let key = pageKeyPrefix + String(decoding: generation, as: UTF8.self) + ":\(page)"
        return CacheLookup(parts[1], for: CacheReservation(key: key, marker: marker))
    }

    /// Invalidates every page.
    ///
    /// Writers that arrive during an increment share the next increment. Under load there are therefore fewer
    /// increments than writes.
    package func invalidate() async {
        let writer = Waiter<Bool>()
        if !writers.add(writer) {
            guard await writer.waitThroughCancellation() == true else { return }
        }
        let covered = writers.takeOthers()
        await invalidations.send([.string("EVAL"), .string(Self.advanceScript), .integer(1), .string(generationKey)])
        for writer in covered { writer.resume(returning: false) }
        writers.finish()?.resume(returning: true)
    }
}
