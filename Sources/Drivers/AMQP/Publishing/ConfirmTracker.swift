internal import DequeModule

/// The publishes of a channel that await the broker's confirm, by sequence number.
///
/// A returned message comes before its confirm, which is positive all the same: the broker has nowhere to put it. It is
/// matched with its publish by what it bears, in the order of publishing, since the broker routes in that order.
struct ConfirmTracker<Token> {
    /// A publish that is settled, and how.
    typealias Settlement = (token: Token, result: Result<Void, PublishError>)

    private struct Entry {
        let token: Token
        let identity: Identity?
        var returned: PublishError?
    }

    /// What a returned message is known by; only mandatory ones can come back.
    struct Identity: Equatable {
        let exchange: String
        let routingKey: String
        let messageID: String?
        let correlationID: String?
    }

    /// Settled entries stay as nil until all before them are settled.
    private var entries: Deque<Entry?> = []
    private var first: UInt64 = 1
    private var lastReturned: UInt64 = 0

    /// How many publishes await their confirm.
    private(set) var count = 0

    /// Notes a publish; its sequence number is the next one, as the broker counts too.
    mutating func publish(_ token: Token, identity: Identity?) {
        entries.append(Entry(token: token, identity: identity, returned: nil))
        count += 1
    }

    /// Notes a returned message.
    ///
    /// - Returns: false where no publish that awaits its confirm is like it.
    mutating func returned(_ identity: Identity, code: UInt16, text: String) -> Bool {
        let next = lastReturned >= first ? Int(lastReturned - first) + 1 : 0
        guard
            let index = position(of: identity, in: next..<max(next, entries.count))
                ?? position(of: identity, in: 0..<min(next, entries.count))
        else { return false }
        entries[index]?.returned = .returned(code: code, text: text)
        lastReturned = first + UInt64(index)
        return true
    }

    private func position(of identity: Identity, in range: Range<Int>) -> Int? {
        range.first { index in
            guard let entry = entries[index] else { return false }
            return entry.returned == nil && entry.identity == identity
        }
    }

    /// Takes a confirm, of one publish or of all up to it.
    ///
    /// - Parameters:
    ///   - isAck: whether the broker took the messages, or refused them.
    ///   - settlements: receives what is settled by it, in the order of publishing.
    mutating func confirm(_ tag: UInt64, multiple: Bool, isAck: Bool, into settlements: inout [Settlement]) {
        guard tag >= first || tag == 0 else { return }
        // Tag 0 with multiple stands for all that is outstanding (AMQP 0-9-1, basic.ack).
        let last = tag == 0 ? entries.count - 1 : Int(clamping: tag - first)
        guard last < entries.count else { return }
        if multiple {
            var index = 0
            while index <= last {
                settle(index, isAck: isAck, into: &settlements)
                index += 1
            }
        } else if tag > 0 {
            settle(last, isAck: isAck, into: &settlements)
        }
        while let front = entries.first, front == nil {
            entries.removeFirst()
            first += 1
        }
    }

    private mutating func settle(_ index: Int, isAck: Bool, into settlements: inout [Settlement]) {
        guard let entry = entries[index] else { return }
        entries[index] = nil
        count -= 1
        if let returned = entry.returned {
            settlements.append((entry.token, .failure(returned)))
        } else {
            settlements.append((entry.token, isAck ? .success(()) : .failure(.refused)))
        }
    }

    /// Gives up all that awaits its confirm, as when the connection goes.
    mutating func abandon() -> [Token] {
        let tokens = entries.compactMap { $0?.token }
        self = ConfirmTracker()
        return tokens
    }
}
