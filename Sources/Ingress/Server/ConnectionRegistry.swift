internal import NIOCore
internal import Synchronization

/// Limits the open connections of the server, in total and for each client network.
///
/// At a limit, a new connection replaces the one whose client has been inactive longest. A client is active when it
/// sends or reads something. At the limit of a network, a connection of the same network is replaced. Therefore idle
/// connections, incomplete requests and unread responses cannot keep out other clients.
///
/// A connection whose request is being handled is never closed. If a request is being handled on every connection, 32
/// reserved connections remain, on which the server responds to health probes, and with 503 to other requests.
final class ConnectionRegistry: Sendable {
    /// The number of connections that may be open in addition to the limit.
    static let reserve = 32

    /// An open connection. It tells the registry whether it may be closed.
    final class Slot: Sendable {
        fileprivate let channel: any Channel
        fileprivate let network: String?
        /// Whether the connection belongs to the reserve, so that it may only be used for health probes.
        let isReserved: Bool
        /// The time of the client's last progress, in nanoseconds; ``handling`` while a request is being handled.
        private let progress: Atomic<UInt64>
        private static let handling = UInt64.max

        fileprivate init(_ channel: any Channel, network: String?, isReserved: Bool, now: UInt64) {
            self.channel = channel
            self.network = network
            self.isReserved = isReserved
            progress = Atomic(now)
        }

        /// Records that a request is being handled.
        func awaitReply() { progress.store(Self.handling, ordering: .relaxed) }

        /// Records that the client has sent or read something, and that no request is being handled.
        func recordProgress(at now: UInt64) { progress.store(now, ordering: .relaxed) }

        /// The time of the client's last progress, in nanoseconds; `nil` while a request is being handled.
        fileprivate var lastProgress: UInt64? {
            let time = progress.load(ordering: .relaxed)
            return time == Self.handling ? nil : time
        }
    }

    /// A connection that is to be closed.
    private struct Closing {
        let slot: Slot
        /// The progress for which it was chosen.
        let lastProgress: UInt64
    }

    /// The open connections of one network, or of the whole server.
    private struct Group {
        private(set) var slots: [ObjectIdentifier: Slot] = [:]
        /// The connections without progress for the longest time, as of the last full comparison, in reverse order.
        /// Comparing all connections for each new one would take too long during a flood.
        private var oldest: [(id: ObjectIdentifier, lastProgress: UInt64)] = []
        private static let oldestCount = 64

        mutating func insert(_ slot: Slot) { slots[ObjectIdentifier(slot)] = slot }

        mutating func remove(_ slot: Slot) { slots[ObjectIdentifier(slot)] = nil }

        /// Returns the connection to close next; `nil` if a request is being handled on each.
        mutating func nextToClose() -> Closing? {
            if let next = nextOldest() { return next }
            oldest = slots.compactMap { id, slot in slot.lastProgress.map { (id, $0) } }
                .sorted { $0.lastProgress < $1.lastProgress }.prefix(Self.oldestCount).reversed()
            return nextOldest()
        }

        private mutating func nextOldest() -> Closing? {
            while let (id, lastProgress) = oldest.popLast() {
                if let slot = slots[id], slot.lastProgress == lastProgress {
                    return Closing(slot: slot, lastProgress: lastProgress)
                }
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
    private let onReplace: @Sendable () -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: the maximum number of connections, without the reserve.
    ///   - networkLimit: the maximum number of connections of one client network.
    ///   - onReplace: called when a connection is closed to make room for another one.
    init(limit: Int, networkLimit: Int, onReplace: @escaping @Sendable () -> Void = {}) {
        self.limit = limit
        self.networkLimit = networkLimit
        self.onReplace = onReplace
    }

    /// The number of open connections.
    var count: Int { state.withLock { $0.all.slots.count } }

    /// Adds a new connection, and closes others if a limit is reached.
    ///
    /// - Parameters:
    ///   - network: the key of the client's network; `nil` if only the total number is limited, as for a trusted proxy,
    ///     whose connections carry the requests of many clients.
    ///   - now: the current time, in nanoseconds.
    /// - Returns: the connection's slot; `nil` if there is no room, not even in the reserve. The caller must then close
    ///   the new connection. It must call ``remove(_:)`` when the connection is closed.
    func add(_ channel: any Channel, network: String?, at now: UInt64) -> Slot? {
        let (slot, closing) = state.withLock { state -> (Slot?, [Closing]) in
            var closing: [Closing] = []
            while let network, state.networks[network]?.slots.count ?? 0 >= networkLimit,
                let next = state.networks[network]?.nextToClose()
            {
                state.remove(next.slot)
                closing.append(next)
            }
            while state.all.slots.count >= limit, let next = state.all.nextToClose() {
                state.remove(next.slot)
                closing.append(next)
            }
            let isNetworkFull = network.map { state.networks[$0]?.slots.count ?? 0 >= networkLimit } ?? false
            guard state.all.slots.count < limit + Self.reserve else { return (nil, closing) }
            let slot = Slot(
                channel, network: network, isReserved: isNetworkFull || state.all.slots.count >= limit, now: now)
            state.insert(slot)
            return (slot, closing)
        }
        for closing in closing { close(closing) }
        return slot
    }

    /// Removes a connection that is closed.
    func remove(_ slot: Slot) {
        state.withLock { $0.remove(slot) }
    }

    /// Closes all connections.
    func closeAll() {
        let slots = state.withLock { Array($0.all.slots.values) }
        for slot in slots { slot.channel.close(promise: nil) }
    }

    /// Closes a connection that was removed. If it was used since it was chosen, it is kept instead. The server then
    /// has one connection more than the limit.
    private func close(_ closing: Closing) {
        let slot = closing.slot
        // The progress changes only on the event loop of the connection.
        slot.channel.eventLoop.execute {
            if slot.lastProgress == closing.lastProgress {
                slot.channel.close(promise: nil)
                self.onReplace()
            } else if slot.channel.isActive {
                self.state.withLock { $0.insert(slot) }
            }
        }
    }
}
