internal import DequeModule

/// The messages of a channel that await the broker's confirm, by sequence number.
///
/// For an unroutable mandatory message, the broker sends basic.return and then an ordinary basic.ack. basic.return has
/// no sequence number, so it is matched by the message's ``Identity``. Messages with the same identity are matched in
/// the order of publishing, because the broker routes them in that order.
struct ConfirmTracker<Token> {
    /// The broker's answer to a message.
    enum Confirmation: Equatable {
        case ack
        case nack
        case returned(code: UInt16, text: String)
    }

    /// A message that the broker has answered.
    typealias Confirmed = (token: Token, confirmation: Confirmation)

    private struct Entry {
        let token: Token
        let identity: Identity?
        var returnReason: (code: UInt16, text: String)?
    }

    /// The fields by which a returned message is recognized.
    struct Identity: Equatable {
        let exchange: String
        let routingKey: String
        let messageID: String?
        let correlationID: String?
    }

    /// The messages from the sequence number `first` on. A confirmed message is `nil`, and is removed once all earlier
    /// messages are confirmed.
    private var entries: Deque<Entry?> = []
    private var first: UInt64 = 1
    /// The sequence number of the last returned message. The search for the next returned message begins after it.
    private var lastReturned: UInt64 = 0

    /// The number of messages that await their confirm.
    private(set) var count = 0

    /// Adds a message with the next sequence number. The broker numbers the messages of the channel in the same way.
    ///
    /// - Parameter identity: `nil` for messages that are not mandatory, because the broker cannot return them.
    mutating func publish(_ token: Token, identity: Identity?) {
        entries.append(Entry(token: token, identity: identity))
        count += 1
    }

    /// Marks a message as returned.
    ///
    /// - Returns: `false` if no unconfirmed message has the identity, or all such messages have already been returned.
    mutating func returned(_ identity: Identity, code: UInt16, text: String) -> Bool {
        let next = lastReturned >= first ? Int(lastReturned - first) + 1 : 0
        guard
            let index = position(of: identity, in: next..<max(next, entries.count))
                ?? position(of: identity, in: 0..<min(next, entries.count))
        else { return false }
        entries[index]?.returnReason = (code, text)
        lastReturned = first + UInt64(index)
        return true
    }

    private func position(of identity: Identity, in range: Range<Int>) -> Int? {
        range.first { index in
            guard let entry = entries[index] else { return false }
            return entry.returnReason == nil && entry.identity == identity
        }
    }

    /// Processes basic.ack or basic.nack.
    ///
    /// - Parameters:
    ///   - tag: the sequence number.
    ///   - multiple: whether all earlier messages are also confirmed.
    ///   - isAck: `true` for basic.ack, `false` for basic.nack.
    ///   - confirmed: the confirmed messages are appended here, in the order of publishing.
    mutating func confirm(_ tag: UInt64, multiple: Bool, isAck: Bool, into confirmed: inout [Confirmed]) {
        guard tag >= first || tag == 0 else { return }
        // Tag 0 with `multiple` means all outstanding messages (AMQP 0-9-1, basic.ack).
        let last = tag == 0 ? entries.count - 1 : Int(clamping: tag - first)
        guard last < entries.count else { return }
        if multiple {
            var index = 0
            while index <= last {
                confirm(at: index, isAck: isAck, into: &confirmed)
                index += 1
            }
        } else if tag > 0 {
            confirm(at: last, isAck: isAck, into: &confirmed)
        }
        while let front = entries.first, front == nil {
            entries.removeFirst()
            first += 1
        }
    }

    private mutating func confirm(at index: Int, isAck: Bool, into confirmed: inout [Confirmed]) {
        guard let entry = entries[index] else { return }
        entries[index] = nil
        count -= 1
        if let (code, text) = entry.returnReason {
            confirmed.append((entry.token, .returned(code: code, text: text)))
        } else {
            confirmed.append((entry.token, isAck ? .ack : .nack))
        }
    }

    /// Removes all unconfirmed messages and returns them. The next sequence number is 1, as on a new connection.
    mutating func abandon() -> [Token] {
        let tokens = entries.compactMap { $0?.token }
        self = ConfirmTracker()
        return tokens
    }
}
