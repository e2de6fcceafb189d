/// A connection of the worker to the broker.
struct BrokerConnection: TappedConnection {
    private var fromClient = AMQPFrames(from: .client)
    private var fromServer = AMQPFrames(from: .server)
    private var isClientHeld = false
    /// The number of messages that were published on each channel. It is the delivery tag of the confirm.
    private var publishedCounts: [UInt16: UInt64] = [:]
    /// The unconfirmed events that were published after the commit of a command.
    private var events: Set<Tagged> = []
    /// The delivered commands that are not acknowledged, with their correlation ids.
    private var commands: [Tagged: String] = [:]

    private struct Tagged: Hashable {
        let channel: UInt16
        let tag: UInt64
    }

    mutating func receive(_ bytes: [UInt8], from peer: Peer, _ progress: inout KillPointProgress) -> TapResult {
        var result = TapResult()
        guard !progress.isReached, !(isClientHeld && peer == .client) else { return result }
        if peer == .client { fromClient.append(bytes) } else { fromServer.append(bytes) }
        while let frame = peer == .client ? fromClient.next() : fromServer.next() {
            let action = peer == .client ? sent(frame, &progress) : received(frame, &progress)
            switch action {
            case .forward: result.forwarded += frame.bytes
            case .hold:
                isClientHeld = true
                return result
            case .forwardAndReach, .holdAndReach:
                if action == .forwardAndReach { result.forwarded += frame.bytes }
                progress.reach()
                result.isReached = true
                return result
            }
        }
        return result
    }

    /// Takes a frame of the worker.
    private mutating func sent(_ frame: AMQPFrames.Frame, _ progress: inout KillPointProgress) -> TapAction {
        switch frame.event {
        case .openedChannel:
            // The tags of both directions start again at 1.
            forgetTags(of: frame.channel)
            commands = commands.filter { $0.key.channel != frame.channel }
        case .selectedConfirms: forgetTags(of: frame.channel)
        case .published(let message):
            let count = publishedCounts[frame.channel, default: 0] + 1
            publishedCounts[frame.channel] = count
            if message.exchange == ExchangeName.events, progress.hasCommitted {
                events.insert(Tagged(channel: frame.channel, tag: count))
            }
            if progress.publish(message), progress.point == .replied { return .forwardAndReach }
        case .acknowledged(let tags):
            // The reply is on the other connection, so the acknowledgement can arrive here first.
            let settled = commands.filter { covers(tags, frame.channel, $0.key) }
            if progress.point == .replied, settled.values.contains(where: { progress.awaitsReply($0) }) { return .hold }
            for command in settled.keys { commands[command] = nil }
        case .refused(let tags): commands = commands.filter { !covers(tags, frame.channel, $0.key) }
        case .delivered, nil: break
        }
        return .forward
    }

    /// Takes a frame of the broker.
    private mutating func received(_ frame: AMQPFrames.Frame, _ progress: inout KillPointProgress) -> TapAction {
        switch frame.event {
        case .delivered(let message, let tag, _):
            guard progress.deliver(message) else { break }
            if let id = message.correlationID { commands[Tagged(channel: frame.channel, tag: tag)] = id }
            if progress.point == .delivered { return .forwardAndReach }
        case .acknowledged(let tags):
            let confirmed = events.filter { covers(tags, frame.channel, $0) }
            if progress.point == .eventPublished, !confirmed.isEmpty { return .holdAndReach }
            events.subtract(confirmed)
        case .refused(let tags):
            events = events.filter { !covers(tags, frame.channel, $0) }
        case .published, .openedChannel, .selectedConfirms, nil: break
        }
        return .forward
    }

    /// The broker counts the messages that are published on the channel from here on.
    private mutating func forgetTags(of channel: UInt16) {
        publishedCounts[channel] = 0
        events = events.filter { $0.channel != channel }
    }

    private func covers(_ tags: AMQPFrames.Tags, _ channel: UInt16, _ tagged: Tagged) -> Bool {
        tagged.channel == channel && tags.contains(tagged.tag)
    }
}
