internal import DequeModule

/// Records which deliveries of a channel are settled, and combines their acknowledgements.
///
/// `multiple` is used up to the last delivery before which all are settled; later ones are acknowledged one by one.
struct AckTracker {
    /// The arguments of basic.ack.
    struct Ack: Equatable {
        let tag: UInt64
        let multiple: Bool
    }

    private enum State {
        /// Not settled yet.
        case open
        /// Acknowledged by the handler, but basic.ack has not been sent.
        case settled
        /// The broker has been sent basic.ack or basic.reject.
        case sent
    }

    /// The deliveries from `firstTag` on. Delivery tags increase by one.
    private var states: Deque<State> = []
    private var firstTag: UInt64 = 1
    /// The deliveries that were settled behind an open one. Those that have joined the prefix since are skipped.
    private var outOfOrder: [UInt64] = []
    /// The last tag of the settled prefix, and the number of deliveries in it whose basic.ack has not been sent.
    private var prefixEnd: UInt64 = 0
    private var prefixCount = 0

    /// The number of open deliveries.
    private(set) var openCount = 0

    /// Whether ``flush(_:)`` has acknowledgements to send.
    var isDirty: Bool { prefixCount > 0 || !outOfOrder.isEmpty }

    /// Adds a delivery.
    ///
    /// - Returns: `false` if its tag is not the successor of the previous one.
    mutating func deliver(_ tag: UInt64) -> Bool {
        guard tag == firstTag + UInt64(states.count) else { return false }
        states.append(.open)
        openCount += 1
        return true
    }

    /// Marks a delivery for acknowledgement.
    ///
    /// - Returns: `false` if it is not open.
    mutating func settle(_ tag: UInt64) -> Bool {
        guard let index = index(of: tag) else { return false }
        states[index] = .settled
        openCount -= 1
        if index == 0 { advance() } else { outOfOrder.append(tag) }
        return true
    }

    /// Removes a delivery for which the caller sends basic.reject.
    ///
    /// - Returns: `false` if it is not open.
    mutating func remove(_ tag: UInt64) -> Bool {
        guard let index = index(of: tag) else { return false }
        states[index] = .sent
        openCount -= 1
        if index == 0 { advance() }
        return true
    }

    /// Passes the acknowledgements that are due to a closure, which sends them.
    mutating func flush(_ send: (Ack) -> Void) {
        if prefixCount > 0 {
            send(Ack(tag: prefixEnd, multiple: prefixCount > 1))
            prefixCount = 0
        }
        guard !outOfOrder.isEmpty else { return }
        for tag in outOfOrder where tag >= firstTag {
            send(Ack(tag: tag, multiple: false))
            states[Int(tag - firstTag)] = .sent
        }
        outOfOrder.removeAll(keepingCapacity: true)
    }

    private func index(of tag: UInt64) -> Int? {
        guard tag >= firstTag, tag - firstTag < UInt64(states.count) else { return nil }
        let index = Int(tag - firstTag)
        return states[index] == .open ? index : nil
    }

    private mutating func advance() {
        while let first = states.first, first != .open {
            if first == .settled {
                prefixEnd = firstTag
                prefixCount += 1
            }
            states.removeFirst()
            firstTag += 1
        }
    }
}
