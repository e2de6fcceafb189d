internal import NIOCore
internal import Synchronization

/// Limits the open connections of the server, in total and for each client network.
///
/// A new connection is always accepted if room can be made for it: at a limit, the connection that has been idle
/// longest is closed. At the limit of a network, only connections of this network are closed. A network therefore
/// cannot keep out others by idle connections. A connection on which a request is in flight is never closed, so several
/// networks together can still occupy all connections, for at most the timeouts of a request.
final class ConnectionRegistry: Sendable {
    /// An open connection. It tells the registry whether it is idle.
    final class Slot: Sendable {
        fileprivate let channel: any Channel
        fileprivate let network: String?
        /// The time since which no request is in flight, in nanoseconds; ``busy`` while a request is in flight.
        private let idleSince: Atomic<UInt64>
        private static let busy = UInt64.max

        fileprivate init(_ channel: any Channel, network: String?, now: UInt64) {
            self.channel = channel
            self.network = network
            idleSince = Atomic(now)
        }

        /// Records that the head of a request has arrived.
        func becomeBusy() { idleSince.store(Self.busy, ordering: .relaxed) }

        /// Records that the last response that was due has been sent.
        func becomeIdle(at now: UInt64) { idleSince.store(now, ordering: .relaxed) }

        /// Closes the connection, unless a request has arrived since it was chosen. The server then has one connection
        /// more than the limit until this one is closed.
        fileprivate func closeIfIdle() {
            // The state changes only on the event loop of the connection.
            channel.eventLoop.execute {
                if self.idleTime != nil { self.channel.close(promise: nil) }
            }
        }

        /// The time since which the connection is idle; `nil` while a request is in flight.
        fileprivate var idleTime: UInt64? {
            let time = idleSince.load(ordering: .relaxed)
            return time == Self.busy ? nil : time
        }
    }

    private struct State {
        var slots: [ObjectIdentifier: Slot] = [:]
        /// The number of open connections of each network.
        var counts: [String: Int] = [:]

        mutating func remove(_ slot: Slot) {
            guard slots.removeValue(forKey: ObjectIdentifier(slot)) != nil, let network = slot.network else { return }
            let rest = counts[network, default: 0] - 1
            counts[network] = rest > 0 ? rest : nil
        }

        /// Returns the connection that has been idle longest; `nil` if all are busy.
        func longestIdle(of network: String?) -> Slot? {
            var found: (slot: Slot, time: UInt64)?
            for slot in slots.values where network == nil || slot.network == network {
                guard let time = slot.idleTime, time < found?.time ?? .max else { continue }
                found = (slot, time)
            }
            return found?.slot
        }
    }

    private let limit: Int
    private let networkLimit: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: the maximum number of connections.
    ///   - networkLimit: the maximum number of connections of one client network.
    init(limit: Int, networkLimit: Int) {
        self.limit = limit
        self.networkLimit = networkLimit
    }

    /// The number of open connections.
    var count: Int { state.withLock { $0.slots.count } }

    /// Adds a new connection, and closes an idle one if a limit is reached.
    ///
    /// - Parameters:
    ///   - network: the key of the client's network; `nil` if only the total number is limited, as for a trusted proxy,
    ///     whose connections carry the requests of many clients.
    ///   - now: the current time, in nanoseconds.
    /// - Returns: the connection's slot; `nil` if a limit is reached and no connection is idle. The caller must then
    ///   close the new connection. It must call ``remove(_:)`` when the connection is closed.
    func add(_ channel: any Channel, network: String?, at now: UInt64) -> Slot? {
        let (slot, closing) = state.withLock { state -> (Slot?, Slot?) in
            var closing: Slot?
            let isNetworkFull = network.map { state.counts[$0, default: 0] >= networkLimit } ?? false
            if isNetworkFull || state.slots.count >= limit {
                closing = state.longestIdle(of: isNetworkFull ? network : nil)
                guard let closing else { return (nil, nil) }
                state.remove(closing)
            }
            let slot = Slot(channel, network: network, now: now)
            state.slots[ObjectIdentifier(slot)] = slot
            if let network { state.counts[network, default: 0] += 1 }
            return (slot, closing)
        }
        closing?.closeIfIdle()
        return slot
    }

    /// Removes a connection that is closed.
    func remove(_ slot: Slot) {
        state.withLock { $0.remove(slot) }
    }
}
