internal import Reactor

/// A channel with publisher confirms, and the messages on it that await their confirm.
@Loop final class ConfirmChannel {
    let number: UInt16
    let opened = ContinuousClock.now
    var confirms = ConfirmTracker<Publisher.Completion>()
    var returned = MessageAssembly<Publisher.ReturnEnvelope>()

    nonisolated init(number: UInt16) {
        self.number = number
    }
}

/// The channel with confirms of a publisher, and the channel that takes its place after a refused message.
///
/// RabbitMQ 3.10 looks up the leader of a quorum queue when a channel first publishes to the queue. If the node of the
/// recorded leader is down and no new leader is recorded yet, the broker refuses every message of this channel to this
/// queue until that node is back (rabbit_fifo_client, `enqueue`). A new channel looks the leader up again.
@Loop final class ConfirmChannels {
    /// The channel that is opened with the connection.
    nonisolated static let first: UInt16 = 2
    private static let second: UInt16 = 3
    /// The shortest time after which a channel with refused messages is replaced. A full queue refuses messages, too,
    /// and then a new channel does not help.
    private static let minimumAge: Duration = .milliseconds(500)

    /// The second channel during a replacement.
    private enum Other {
        case none
        /// channel.open was sent.
        case opening
        /// confirm.select was sent.
        case selecting
        /// Messages on this channel still await their confirm. No more are published on it.
        case retired(ConfirmChannel)
        /// channel.close was sent.
        case closing
    }

    /// The channel on which messages are published.
    private(set) var current = ConfirmChannel(number: first)
    private var other = Other.none

    nonisolated init() {}

    /// The number of messages that await their confirm.
    var outstandingCount: Int { current.confirms.count + (retired?.confirms.count ?? 0) }

    private var retired: ConfirmChannel? { if case .retired(let channel) = other { channel } else { nil } }

    private var otherNumber: UInt16 { current.number == Self.first ? Self.second : Self.first }

    /// The channel with the number, if messages were published on it that can be confirmed or returned.
    subscript(number: UInt16) -> ConfirmChannel? {
        if number == current.number { return current }
        return retired.flatMap { $0.number == number ? $0 : nil }
    }

    /// Opens the channel that will take the place of a channel whose message was refused. Does nothing if that channel
    /// is new, or if the replacement before it is not complete.
    func replace(_ number: UInt16, on connection: AMQPConnection) {
        guard number == current.number, case .none = other, .now - current.opened >= Self.minimumAge else { return }
        other = .opening
        connection.output.appendChannelOpen(channel: otherNumber)
    }

    /// Takes the next step of the replacement when the broker has answered the last one.
    ///
    /// - Returns: `false` if the answer does not fit the state of its channel.
    func advance(_ answer: IncomingMethod, from number: UInt16, on connection: AMQPConnection) -> Bool {
        guard number == otherNumber else { return false }
        switch (other, answer) {
        case (.opening, .channelOpenOK):
            other = .selecting
            connection.output.appendSelectConfirms(channel: number)
        case (.selecting, .selectOK):
            other = .retired(current)
            current = ConfirmChannel(number: number)
            closeRetired(on: connection)
        case (.closing, .channelCloseOK): other = .none
        default: return false
        }
        return true
    }

    /// Closes the replaced channel when none of its messages awaits its confirm any more.
    func closeRetired(on connection: AMQPConnection) {
        guard let retired, retired.confirms.count == 0 else { return }
        other = .closing
        connection.output.appendChannelClose(channel: retired.number)
    }

    /// Forgets the channels of a connection that has ended.
    ///
    /// - Returns: the completions of the messages that awaited their confirm, in the order of publishing.
    func abandon() -> [Publisher.Completion] {
        let abandoned = (retired?.confirms.abandon() ?? []) + current.confirms.abandon()
        current = ConfirmChannel(number: Self.first)
        other = .none
        return abandoned
    }
}
