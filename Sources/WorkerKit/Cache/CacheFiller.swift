internal import Reactor
internal import Redis

/// Reads values that are missing from a cache, and stores them. If several tasks need a value at the same time, it is
/// read once (single flight).
///
/// Within a process, the first task reads the value and the other tasks share its result. Between processes, the
/// process that reserves the key in Redis reads the value. The other processes look for the value again for up to
/// 400 ms, and then read it themselves, without storing it. If Redis is not available, every task reads the value
/// itself.
///
/// A process stores a value only while the key still has its marker. A change of the entity overwrites the marker, so a
/// value that was read before the change is not stored after it. This also holds if Redis has evicted the marker or a
/// tombstone.
///
/// A lookup is a write command. If Redis refuses writes, for instance as a replica, lookups fail, and the cache is not
/// read. This is intended, because invalidations fail as well.
@Loop final class CacheFiller {
    /// The lifetime of a reservation, in milliseconds. It is longer than any read, because a query's deadline is 5 s.
    /// The reservation of a process that has died expires after this time.
    static let reservationLifetime = 6000
    /// How long a process looks for the value that another process reads, before it reads the value itself.
    private static let lookLimit: Duration = .milliseconds(400)
    /// The shortest and the longest pause between two looks.
    private static let pauses: ClosedRange<Duration> = .milliseconds(5) ... .milliseconds(160)

    /// Stores a value, or only removes the reservation if the value is empty. Does nothing if the key does not have the
    /// marker any more.
    private static let store = RedisScript(
        """
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
        return redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
        """)

    private let redis: RedisClient
    /// The lifetime of a stored value, in whole seconds.
    private let lifetime: Int
    /// A part of each marker, so that two processes never have the same marker.
    private let processID = (UInt64.random(in: 0...UInt64.max), UInt64.random(in: 0...UInt64.max))
    private var markerCount: UInt64 = 0
    /// The tasks that wait for the result of a running reading. A task joins a reading only if its lookup returned the
    /// reading's marker. So the entity had not changed since the reading began.
    private var readings: [CacheReservation: [Waiter<Result<[UInt8]?, any Error>>]] = [:]

    init(redis: RedisClient, lifetime: Duration) {
        self.redis = redis
        self.lifetime = Int(lifetime.components.seconds)
    }

    /// Makes a marker for a reservation.
    func newMarker() -> [UInt8] {
        markerCount += 1
        return withUnsafeBytes(of: (processID, markerCount)) { [CacheReservation.firstByte] + $0 }
    }

    /// Looks a value up, and reserves the key if there is no value.
    func lookUp(_ key: String) async -> CacheLookup {
        let reservation = CacheReservation(key: key, marker: newMarker())
        let value = try? await redis.send([
            .string("SET"), .string(key), .bytes(reservation.marker), .string("NX"), .string("GET"), .string("PX"),
            .integer(Self.reservationLifetime),
        ])
        // Redis may still carry out a command that has timed out here. The reservation would then delay other readers.
        if value == nil { store([], reservation) }
        return CacheLookup(value, for: reservation)
    }

    /// Returns the value that a lookup has found. If the lookup has found none, reads and stores the value.
    ///
    /// - Parameter read: reads the value; `nil` if it does not exist. The value's first byte must not be 0.
    /// - Throws: the error of `read`. All tasks that share the reading get this error.
    func value(
        _ lookup: CacheLookup, read: @Loop () async throws -> [UInt8]?
    ) async throws -> [UInt8]? {
        switch lookup {
        case .hit(let value): value
        case .reserved(let reservation):
            try await sharing(reservation) { try await readAndStore(reservation, read) }
        case .beingRead(let reservation): try await valueBeingRead(reservation, read)
        case .unavailable: try await read()
        }
    }

    /// Waits for the value that another task or process reads.
    private func valueBeingRead(
        _ reservation: CacheReservation, _ read: @Loop () async throws -> [UInt8]?
    ) async throws -> [UInt8]? {
        guard readings[reservation] != nil else {
            return try await sharing(reservation) { try await valueOfOtherProcess(reservation.key, read) }
        }
        let waiter = Waiter<Result<[UInt8]?, any Error>>()
        readings[reservation]?.append(waiter)
        if let value = try await waiter.waitThroughCancellation()?.get() ?? nil { return value }
        // A reading without a value is not shared, because the value may have been created after the reading began.
        return try await read()
    }

    /// Gets a value, and shares the result with the tasks of this process that find the same reservation meanwhile.
    private func sharing(
        _ reservation: CacheReservation, _ get: @Loop () async throws -> [UInt8]?
    ) async throws -> [UInt8]? {
        // A task that has found the reservation can be resumed before the task that has made it.
        if readings[reservation] == nil { readings[reservation] = [] }
        let result: Result<[UInt8]?, any Error>
        do {
            result = .success(try await get())
        } catch {
            result = .failure(error)
        }
        for waiter in readings.removeValue(forKey: reservation) ?? [] { waiter.resume(returning: result) }
        return try result.get()
    }

    private func valueOfOtherProcess(
        _ key: String, _ read: @Loop () async throws -> [UInt8]?
    ) async throws -> [UInt8]? {
        let end = ContinuousClock.now + Self.lookLimit
        var backoff = Backoff(Self.pauses)
        while true {
            let pause = backoff.next()
            guard .now + pause < end, (try? await Loop.sleep(for: pause)) != nil else { return try await read() }
            let lookup = await lookUp(key)
            if case .beingRead = lookup { continue }
            return try await value(lookup, read: read)
        }
    }

    private func readAndStore(
        _ reservation: CacheReservation, _ read: @Loop () async throws -> [UInt8]?
    ) async throws -> [UInt8]? {
        let value: [UInt8]?
        do {
            value = try await read()
        } catch {
            store([], reservation)
            throw error
        }
        store(value ?? [], reservation)
        return value
    }

    /// Stores the value that was read; an empty value only ends the reservation.
    private func store(_ value: [UInt8], _ reservation: CacheReservation) {
        // If this fails, the reservation expires, and the value is only read once more.
        redis.run(
            Self.store, keys: [.string(reservation.key)],
            arguments: [.bytes(reservation.marker), .bytes(value), .integer(lifetime)]
        ) { _ in }
    }
}
