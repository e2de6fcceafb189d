internal import Redis

/// The result of looking up a cache entry. A lookup that finds no entry reserves the key for the reader.
enum CacheLookup: Sendable, Hashable {
    /// The entry's value.
    case hit([UInt8])
    /// There was no entry. The key is now reserved for the reader, who reads the value and stores it.
    case reserved(CacheReservation)
    /// Another reader has reserved the key, and has not stored the value yet.
    case beingRead(CacheReservation)
    /// The entry is a tombstone, or Redis is not available. The value must be read, but must not be stored.
    case unavailable

    /// Interprets the result of `SET key marker NX GET`. The command returns the old value. If there is none, it stores
    /// the marker and returns null.
    ///
    /// - Parameters:
    ///   - value: the result; `nil` if the command has failed.
    ///   - reservation: the reservation whose marker was sent.
    init(_ value: RedisValue?, for reservation: CacheReservation) {
        switch value {
        case .null: self = .reserved(reservation)
        case .bytes(let bytes) where bytes.isEmpty: self = .unavailable
        case .bytes(let bytes) where bytes[0] == CacheReservation.firstByte:
            self = .beingRead(CacheReservation(key: reservation.key, marker: bytes))
        case .bytes(let bytes): self = .hit(bytes)
        default: self = .unavailable
        }
    }
}

/// The right to store a value under a key. While a reader reads the value, the key has the reader's marker.
struct CacheReservation: Sendable, Hashable {
    /// The first byte of each marker. No cached value begins with it.
    static let firstByte: UInt8 = 0

    let key: String
    /// A value that no other reservation has.
    let marker: [UInt8]
}
