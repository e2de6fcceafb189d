/// A connection of the worker to the broker.
struct BrokerConnection: TappedConnection {
    private var fromClient = AMQPFrames(from: .client)
    private var fromServer = AMQPFrames(from: .server)
    /// An acknowledgement of the worker that waits for a reply on the other connection.
    private var held: AMQPFrames.Frame?
    /// The number of messages that were published on each channel. It is the delivery tag of the confirm.
    private var publishedCounts: [UInt16: UInt64] = [:]
    /// The unconfirmed events that were published after the commit of a command.
    private var events: Set<Tagged> = []
    /// The delivered requests that are not acknowledged and expect a reply, with their correlation ids.
    private var requests: [Tagged: String] = [:]

    private struct Tagged: Hashable {
        let channel: UInt16
        let tag: UInt64
    }

    mutating func receive(_ bytes: [UInt8], from peer: Peer, _ progress: inout KillPointProgress) -> TapResult {
        var result = TapResult()
        guard !progress.isReached else { return result }
        if peer == .client { fromClient.append(bytes) } else { fromServer.append(bytes) }
        while let frame = peer == .client ? takeHeld() ?? fromClient.next() : fromServer.next() {
            let action = peer == .client ? sent(frame, &progress) : received(frame, &progress)
            switch action {
            case .forward: result.forwarded += frame.bytes
            case .hold:
                held = frame
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

    private mutating func takeHeld() -> AMQPFrames.Frame? {
        defer { held = nil }
        return held
    }

    /// Takes a frame of the worker.
    private mutating func sent(_ frame: AMQPFrames.Frame, _ progress: inout KillPointProgress) -> TapAction {
        switch frame.event {
        case .openedChannel:
            // The tags of both directions start again at 1.
            forgetTags(of: frame.channel)
            requests = requests.filter { $0.key.channel != frame.channel }
        case .selectedConfirms: forgetTags(of: frame.channel)
        case .published(let message):
            let count = publishedCounts[frame.channel, default: 0] + 1
            publishedCounts[frame.channel] = count
            if message.exchange == ExchangeName.events, progress.hasCommitted {
                events.insert(Tagged(channel: frame.channel, tag: count))
            }
            if progress.publish(message), progress.point == .replied { return .forwardAndReach }
        case .acknowledged(let tags):
            // The reply is on the other connection, so the acknowledgement can arrive here first. If it were forwarded
            // and the kill point then reached, the request would have neither a reply nor another delivery.
            let settled = requests.filter { covers(tags, frame.channel, $0.key) }
            if settled.values.contains(where: { progress.awaitsReply($0) }) { return .hold }
            for request in settled.keys { requests[request] = nil }
        case .refused(let tags): requests = requests.filter { !covers(tags, frame.channel, $0.key) }
        case .delivered, nil: break
        }
        return .forward
    }

    /// Takes a frame of the broker.
    private mutating func received(_ frame: AMQPFrames.Frame, _ progress: inout KillPointProgress) -> TapAction {
        switch frame.event {
        case .delivered(let message, let tag, _):
            let isCounted = progress.deliver(message)
            if message.expectsReply, let id = message.correlationID {
                requests[Tagged(channel: frame.channel, tag: tag)] = id
            }
            if isCounted, progress.point == .delivered { return .forwardAndReach }
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
