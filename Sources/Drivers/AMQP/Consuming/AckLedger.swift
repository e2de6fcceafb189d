internal import DequeModule

/// Which deliveries of a channel are settled, and the fewest acknowledgements that say so.
///
/// Only settled deliveries are acknowledged: `multiple` is used up to the last one before which all are settled.
struct AckLedger {
    /// One acknowledgement to be sent.
    struct Ack: Equatable {
        let tag: UInt64
        let multiple: Bool
    }

    private enum State {
        /// Handed over, and the broker's to redeliver.
        case open
        /// Acknowledged by the handler, which the broker has yet to be told.
        case settled
        /// The broker has been told.
        case told
    }

    /// The deliveries from the first that may be open on; tags rise by one.
    private var states: Deque<State> = []
    private var firstTag: UInt64 = 1
    /// Settled behind an open one; those that have come into the prefix since are passed over.
    private var late: [UInt64] = []
    /// The last of the settled ones that nothing open precedes, and how many of them the broker has not been told.
    private var prefixEnd: UInt64 = 0
    private var prefixCount = 0

    /// How many deliveries are open.
    private(set) var openCount = 0

    /// Whether there is anything for ``flush(_:)``.
    var isDirty: Bool { prefixCount > 0 || !late.isEmpty }

    /// Notes a delivery.
    ///
    /// - Returns: false where its tag does not follow the one before.
    mutating func deliver(_ tag: UInt64) -> Bool {
        guard tag == firstTag + UInt64(states.count) else { return false }
        states.append(.open)
        openCount += 1
        return true
    }

    /// Notes that a delivery is to be acknowledged.
    ///
    /// - Returns: false where it is not open.
    mutating func settle(_ tag: UInt64) -> Bool {
        guard let index = index(of: tag) else { return false }
        states[index] = .settled
        openCount -= 1
        if index == 0 { advance() } else { late.append(tag) }
        return true
    }

    /// Notes that the broker is being told of a delivery otherwise, by a reject.
    ///
    /// - Returns: false where it is not open.
    mutating func remove(_ tag: UInt64) -> Bool {
        guard let index = index(of: tag) else { return false }
        states[index] = .told
        openCount -= 1
        if index == 0 { advance() }
        return true
    }

    /// Gives the acknowledgements that are due, and takes them for sent.
    mutating func flush(_ send: (Ack) -> Void) {
        if prefixCount > 0 {
            send(Ack(tag: prefixEnd, multiple: prefixCount > 1))
            prefixCount = 0
        }
        guard !late.isEmpty else { return }
        for tag in late where tag >= firstTag {
            send(Ack(tag: tag, multiple: false))
            states[Int(tag - firstTag)] = .told
        }
        late.removeAll(keepingCapacity: true)
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
