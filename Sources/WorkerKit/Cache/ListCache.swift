package import Reactor
package import Redis

/// A cache of pages that are invalidated together, by a generation number in their keys.
///
/// A write increments the generation. Pages of earlier generations are never read again and expire. A page that was
/// read from the database before a write is stored under the generation before it, so it cannot hide the write.
@Loop package final class ListCache {
    // Both keys have the list's name as their hash tag, so a Redis cluster keeps them in one slot. A missing generation
    // starts at the time in microseconds, so it never repeats a number that was used before.
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

    // INCR alone would start a missing generation at 1, which was used before.
    private static let advance = """
        if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('INCR', KEYS[1]) end
        local time = redis.call('TIME')
        return redis.call('SET', KEYS[1], time[1] .. string.format('%06d', time[2]))
        """

    private let redis: RedisClient
    private let invalidations: Invalidations
    private let filler: CacheFiller
    private let root: String
    /// The writers that wait for an increment; `true` tells a writer to do it itself, `false` that it is done.
    private var writers = BatchQueue<Waiter<Bool>>(limit: .max)

    /// Makes a cache.
    ///
    /// - Parameters:
    ///   - name: the list's name, which its keys begin with, such as `post:list`.
    ///   - lifetime: a page's lifetime, in whole seconds.
    package init(redis: RedisClient, invalidations: Invalidations, name: String, lifetime: Duration) {
        self.redis = redis
        self.invalidations = invalidations
        root = "{\(name)}:generation"
        let seconds = Int(lifetime.components.seconds)
        filler = CacheFiller(redis: redis) { key, value in
            [.string("SET"), .string(key), .bytes(value), .string("EX"), .integer(seconds)]
        }
    }

    /// Returns a page from the cache, or reads and stores it, once for all tasks that ask at the same time.
    ///
    /// Tasks share a reading only if it began in the generation that they have seen, so the page has every write that
    /// was invalidated before they asked.
    ///
    /// - Parameter read: reads the page.
    package func body(_ page: String, read: @Loop () async throws -> [UInt8]) async throws -> [UInt8] {
        let body = try await filler.value(await lookUp(page)) { try await read() }
        if let body { return body }
        return try await read()
    }

    func lookUp(_ page: String) async -> CacheLookup {
        guard let value = try? await redis.run(Self.look, keys: [.string(root)], arguments: [.string(page)]),
            case .array(let parts) = value, parts.count == 2, case .bytes(let generation) = parts[0]
        else { return .unavailable }
        if case .bytes(let body) = parts[1] { return .hit(body) }
        let key = "\(root):\(String(decoding: generation, as: UTF8.self)):\(page)"
        return .miss(key: key, lock: "\(key):reading")
    }

    /// Invalidates every page.
    ///
    /// Writers that arrive during an increment share the next one, so under load there are fewer increments than
    /// writes.
    package func invalidate() async {
        let writer = Waiter<Bool>()
        if !writers.add(writer) {
            guard await writer.waitThroughCancellation() == true else { return }
        }
        let covered = writers.takeOthers()
        await invalidations.send([.string("EVAL"), .string(Self.advance), .integer(1), .string(root)])
        for writer in covered { writer.resume(returning: false) }
        writers.finish()?.resume(returning: true)
    }
}
