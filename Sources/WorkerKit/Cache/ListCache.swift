package import Reactor
package import Redis

/// A cache of pages that are invalidated together, by a generation number in their keys.
///
/// A write begins a new generation. Pages of earlier generations are not read any more; they stay in Redis until they
/// expire. A page that was read from the database before a write is stored under the generation that was current before
/// the write, so later readers do not find it.
///
/// A cache can have a pause between two generations. A write then does not begin a generation at once if the current
/// one is younger than the pause. It schedules the next generation for the end of the pause, and later writes need no
/// generation of their own. Each page is therefore read at most once per pause, however many writes there are.
///
/// A task also shares a running reading of the same page, even if a new generation has begun since the reading began,
/// if the reading is not older than the pause. A page can therefore lack the writes of the last two pauses: one pause
/// until the next generation begins, and one because a running reading is shared.
@Loop package final class ListCache {
    /// The generation is a time in microseconds, so that a generation that Redis has lost is followed by a greater
    /// number. The key's value is the generation and, after a space, the next generation if
    /// one is scheduled. They are in one key, so that Redis cannot evict the scheduled generation alone.
    ///
    /// If the scheduled generation is more than a pause in the future, the server's clock was set back. It then begins
    /// at once.
    private nonisolated static let readGeneration = """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local pause = tonumber(ARGV[1])
        local function write(generation, next)
            local text = string.format('%.0f', generation)
            redis.call('SET', KEYS[1], next and text .. ' ' .. string.format('%.0f', next) or text)
            return generation
        end
        local current, next = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) ?(%d*)$')
        current, next = tonumber(current), tonumber(next)
        if not current then
            current = write(now)
        elseif next and (next <= now or next > now + pause) then
            current, next = write(next), nil
        end

        """

    // A missing page is reserved for the reader, as CacheFiller.lookUp(_:) does.
    private static let lookUpScript = RedisScript(
        readGeneration + """
            local text = string.format('%.0f', current)
            local page = ARGV[2] .. text .. ARGV[3]
            return {text, redis.call('SET', page, ARGV[4], 'NX', 'GET', 'PX', ARGV[5])}
            """)

    // If a generation is scheduled, it covers this write as well, because its pages are read after the schedule. A
    // generation that begins in this call has no pages yet. The script still schedules a further one, which costs one
    // extra reading.
    nonisolated static let advanceScript =
        readGeneration + """
            if next then return 0 end
            if now - current >= pause or now < current - pause then
                write(math.max(now, current + 1))
            else
                write(current, math.max(current + pause, now + 1))
            end
            return 1
            """

    private final class Reading {
        let startedAt = ContinuousClock.now
        var waiters: [Waiter<Result<[UInt8], any Error>>] = []
    }

    private let redis: RedisClient
    private let invalidations: Invalidations
    private let filler: CacheFiller
    private let name: String
    private let pause: Duration
    /// The newest running reading of each page.
    private var readings: [String: Reading] = [:]
    /// The writers that wait for an advance. A writer that is resumed with `true` must do the next advance. For a
    /// writer that is resumed with `false`, another writer has done it.
    private var writers = BatchQueue<Waiter<Bool>>(limit: .max)

    /// Makes a cache.
    ///
    /// - Parameters:
    ///   - name: the list's name, such as `post:list`. All keys begin with the name and the
    ///     server's id, in braces.
    ///   - lifetime: a page's lifetime, in whole seconds.
    ///   - pause: the shortest time between two generations, and the greatest age of a shared reading. With
    ///     a pause of zero, every write begins a generation, and no reading is shared with a later generation.
    package init(
        redis: RedisClient, invalidations: Invalidations, name: String, lifetime: Duration, pause: Duration = .zero
    ) {
        self.redis = redis
        self.invalidations = invalidations
        self.pause = pause
        self.name = name
        filler = CacheFiller(redis: redis, lifetime: lifetime)
    }

    /// Returns a page from the cache. If the cache does not have the page, reads and stores it. Tasks that need the
    /// same page at the same time share one reading.
    ///
    /// - Parameter read: reads the page.
    /// - Throws: the error of `read`. All tasks that share the reading get this error.
    package func body(_ page: String, read: @Loop () async throws -> [UInt8]) async throws -> [UInt8] {
        if let reading = readings[page], .now - reading.startedAt < pause {
            let waiter = Waiter<Result<[UInt8], any Error>>()
            reading.waiters.append(waiter)
            if let result = await waiter.waitThroughCancellation() { return try result.get() }
        }
        let reading = Reading()
        readings[page] = reading
        let result: Result<[UInt8], any Error>
        do {
            result = .success(try await storedBody(page, read))
        } catch {
            result = .failure(error)
        }
        if readings[page] === reading { readings[page] = nil }
        for waiter in reading.waiters { waiter.resume(returning: result) }
        return try result.get()
    }

    private func storedBody(_ page: String, _ read: @Loop () async throws -> [UInt8]) async throws -> [UInt8] {
        if let body = try await filler.value(await lookUp(page), read: { try await read() }) { return body }
        return try await read()
    }

    private func lookUp(_ page: String) async -> CacheLookup {
        let marker = filler.newMarker()
        let keyPrefix = CacheKey.pages(of: name, redis.serverID)
        let result = try? await redis.run(
            Self.lookUpScript, keys: [.string(CacheKey.generation(of: name, redis.serverID))],
            arguments: [
                .integer(pauseMicroseconds), .string(keyPrefix), .string(":\(page)"), .bytes(marker),
                .integer(CacheFiller.reservationLifetime),
            ])
        guard case .array(let parts)? = result, parts.count == 2, case .bytes(let generation) = parts[0]
        else { return .unavailable }
        let key = keyPrefix + String(decoding: generation, as: UTF8.self) + ":\(page)"
        return CacheLookup(parts[1], for: CacheReservation(key: key, marker: marker))
    }

    private var pauseMicroseconds: Int {
        let (seconds, attoseconds) = pause.components
        return Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000)
    }

    /// Invalidates every page, at the latest after the pause.
    ///
    /// Writers that arrive during an advance share the next advance.
    package func invalidate() async {
        let writer = Waiter<Bool>()
        if !writers.add(writer) {
            guard await writer.waitThroughCancellation() == true else { return }
        }
        let covered = writers.takeOthers()
        await invalidations.send(.list(name, pause: pauseMicroseconds))
        for writer in covered { writer.resume(returning: false) }
        writers.finish()?.resume(returning: true)
    }
}
