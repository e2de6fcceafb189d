internal import DequeModule

/// The messages of a channel that await the broker's confirm, by sequence number.
///
/// The broker sends basic.return for an unroutable message before its confirm, which is an ack all the same.
/// basic.return has no sequence number, so it is matched by the message's identity, in the order of publishing,
/// because the broker routes in that order.
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

    /// The messages from `first` on. Confirmed ones stay as `nil` until all before them are confirmed.
    private var entries: Deque<Entry?> = []
    private var first: UInt64 = 1
    private var lastReturned: UInt64 = 0

    /// The number of messages that await their confirm.
    private(set) var count = 0

    /// Adds a message with the next sequence number, which is also the broker's.
    ///
    /// - Parameter identity: `nil` for messages that are not mandatory, because the broker cannot return them.
    mutating func publish(_ token: Token, identity: Identity?) {
        entries.append(Entry(token: token, identity: identity))
        count += 1
    }

    /// Marks a message as returned.
    ///
    /// - Returns: `false` if no unconfirmed message has the identity.
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
    ///   - multiple: whether all earlier messages are confirmed too.
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

    /// Removes all unconfirmed messages and starts to count from 1 again, for a new connection.
    mutating func abandon() -> [Token] {
        let tokens = entries.compactMap { $0?.token }
        self = ConfirmTracker()
        return tokens
    }
}
