internal import NIOCore
internal import Synchronization

/// Limits the open connections of the server, in total and for each client network.
///
/// At a limit, a new connection takes the place of another one: of the connection that has been idle longest, or if
/// none is idle, of the one that has waited longest for its client. At the limit of a network, this is a connection of
/// the same network. A client therefore cannot keep out others by idle connections, by requests that it does not send
/// completely, or by responses that it does not read.
///
/// A connection whose request is being handled is never closed. If all are, a small reserve of connections remains, on
/// which the server responds to health probes, and with 503 to other requests.
final class ConnectionRegistry: Sendable {
    /// The number of connections that may be open in addition to the limit.
    static let reserve = 32

    /// An open connection. It tells the registry what it waits for.
    final class Slot: Sendable {
        fileprivate let channel: any Channel
        fileprivate let network: String?
        /// Whether the connection belongs to the reserve, so that it may only be used for health probes.
        let isReserved: Bool
        private let rank: Atomic<Rank.RawValue>

        fileprivate init(_ channel: any Channel, network: String?, isReserved: Bool, now: UInt64) {
            self.channel = channel
            self.network = network
            self.isReserved = isReserved
            rank = Atomic(Rank(.idle, since: now).rawValue)
        }

        /// Records that the connection waits for another party than before.
        func update(_ occupation: HTTPConnectionState.Occupation, at now: UInt64) {
            rank.store(Rank(occupation, since: now).rawValue, ordering: .relaxed)
        }

        /// Closes the connection, unless its state has changed since it was chosen so that it must not be closed. The
        /// server then has one connection more than the limit until this one is closed.
        fileprivate func closeIfAllowed() {
            // The state changes only on the event loop of the connection.
            channel.eventLoop.execute {
                if self.currentRank.mayBeClosed { self.channel.close(promise: nil) }
            }
        }

        fileprivate var currentRank: Rank { Rank(rawValue: rank.load(ordering: .relaxed)) }
    }

    /// The order in which connections are closed to make room: lower ranks first.
    fileprivate struct Rank: RawRepresentable, Comparable {
        /// The occupation in the two highest bits, and the time since which it lasts, in nanoseconds, in the others.
        let rawValue: UInt64

        init(rawValue: UInt64) { self.rawValue = rawValue }

        init(_ occupation: HTTPConnectionState.Occupation, since time: UInt64) {
            rawValue = occupation.rawValue << 62 | time
        }

        var mayBeClosed: Bool { self < Rank(.awaitsReply, since: 0) }

        static func < (left: Rank, right: Rank) -> Bool { left.rawValue < right.rawValue }
    }

    /// The open connections of one network, or of the whole server.
    private struct Group {
        private(set) var slots: [ObjectIdentifier: Slot] = [:]
        /// The connections that were to be closed next when all were compared last, the first one at the end. Comparing
        /// all for each new connection would take too long during a flood.
        private var candidates: [(id: ObjectIdentifier, rank: Rank)] = []
        private static let candidateCount = 64

        mutating func insert(_ slot: Slot) { slots[ObjectIdentifier(slot)] = slot }

        mutating func remove(_ slot: Slot) { slots[ObjectIdentifier(slot)] = nil }

        /// Returns the connection to close next; `nil` if none may be closed.
        mutating func nextToClose() -> Slot? {
            if let slot = nextCandidate() { return slot }
            candidates = slots.map { ($0, $1.currentRank) }.filter { $0.rank.mayBeClosed }
                .sorted { $0.rank < $1.rank }.prefix(Self.candidateCount).reversed()
            return nextCandidate()
        }

        private mutating func nextCandidate() -> Slot? {
            while let (id, rank) = candidates.popLast() {
                if let slot = slots[id], slot.currentRank == rank { return slot }
            }
            return nil
        }
    }

    private struct State {
        var all = Group()
        var networks: [String: Group] = [:]

        mutating func insert(_ slot: Slot) {
            all.insert(slot)
            if let network = slot.network { networks[network, default: Group()].insert(slot) }
        }

        mutating func remove(_ slot: Slot) {
            all.remove(slot)
            guard let network = slot.network else { return }
            networks[network]?.remove(slot)
            if networks[network]?.slots.isEmpty == true { networks[network] = nil }
        }
    }

    private let limit: Int
    private let networkLimit: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: the maximum number of connections, without the reserve.
    ///   - networkLimit: the maximum number of connections of one client network.
    init(limit: Int, networkLimit: Int) {
        self.limit = limit
        self.networkLimit = networkLimit
    }

    /// The number of open connections.
    var count: Int { state.withLock { $0.all.slots.count } }

    /// Adds a new connection, and closes another one if a limit is reached.
    ///
    /// - Parameters:
    ///   - network: the key of the client's network; `nil` if only the total number is limited, as for a trusted proxy,
    ///     whose connections carry the requests of many clients.
    ///   - now: the current time, in nanoseconds.
    /// - Returns: the connection's slot; `nil` if there is no room, not even in the reserve. The caller must then close
    ///   the new connection. It must call ``remove(_:)`` when the connection is closed.
    func add(_ channel: any Channel, network: String?, at now: UInt64) -> Slot? {
        let (slot, closing) = state.withLock { state -> (Slot?, Slot?) in
            var closing: Slot?
            if let network, state.networks[network]?.slots.count ?? 0 >= networkLimit {
                closing = state.networks[network]?.nextToClose()
                guard closing != nil else { return (nil, nil) }
            } else if state.all.slots.count >= limit {
                closing = state.all.nextToClose()
            }
            if let closing { state.remove(closing) }
            let isReserved = state.all.slots.count >= limit
            guard state.all.slots.count < limit + Self.reserve else { return (nil, closing) }
            let slot = Slot(channel, network: network, isReserved: isReserved, now: now)
            state.insert(slot)
            return (slot, closing)
        }
        closing?.closeIfAllowed()
        return slot
    }

    /// Removes a connection that is closed.
    func remove(_ slot: Slot) {
        state.withLock { $0.remove(slot) }
    }
}
