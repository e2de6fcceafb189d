internal import DequeModule

/// Records which deliveries of a channel are settled, and combines their acknowledgements.
///
/// The deliveries before the first open delivery are called the prefix. They are acknowledged with one basic.ack that
/// has `multiple` set. Settled deliveries after the first open delivery are acknowledged one by one.
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
        /// basic.ack or basic.reject has been sent.
        case sent
    }

    /// The states of the deliveries from `firstTag` on. Delivery tags increase by one.
    private var states: Deque<State> = []
    private var firstTag: UInt64 = 1
    /// The tags of the deliveries that were settled while an earlier delivery was open. Tags below `firstTag` are
    /// ignored, because their deliveries belong to the prefix by now.
    private var outOfOrder: [UInt64] = []
    /// The tag of the last settled delivery in the prefix.
    private var prefixEnd: UInt64 = 0
    /// The number of settled deliveries in the prefix for which basic.ack has not been sent.
    private var prefixCount = 0

    /// The number of open deliveries.
    private(set) var openCount = 0

    /// Whether ``flush(_:)`` has acknowledgements to send.
    var isDirty: Bool { prefixCount > 0 || !outOfOrder.isEmpty }

    /// Adds a delivery.
    ///
    /// - Returns: `false` if its tag is not one more than the previous delivery's tag.
    mutating func deliver(_ tag: UInt64) -> Bool {
        guard tag == firstTag + UInt64(states.count) else { return false }
        states.append(.open)
        openCount += 1
        return true
    }

    /// Marks a delivery for acknowledgement.
    ///
    /// - Returns: `false` if the delivery is not open.
    mutating func settle(_ tag: UInt64) -> Bool {
        guard let index = index(of: tag) else { return false }
        states[index] = .settled
        openCount -= 1
        if index == 0 { advance() } else { outOfOrder.append(tag) }
        return true
    }

    /// Removes a delivery for which the caller sends basic.reject.
    ///
    /// - Returns: `false` if the delivery is not open.
    mutating func remove(_ tag: UInt64) -> Bool {
        guard let index = index(of: tag) else { return false }
        states[index] = .sent
        openCount -= 1
        if index == 0 { advance() }
        return true
    }

    /// Calls `send` with each acknowledgement that has not been sent.
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
