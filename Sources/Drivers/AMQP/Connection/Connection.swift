internal import CRabbitMQ
internal import Reactor

/// What a connection tells the publisher or consumer it serves.
@Loop protocol ConnectionOwner: AnyObject {
    /// A method came on a channel; those of the connection itself do not get here.
    func received(_ method: IncomingMethod, on channel: UInt16)
    /// A message's header came on a channel.
    func receivedHeader(_ properties: Properties, bodySize: UInt64, on channel: UInt16)
    /// A part of a message's body came on a channel; its bytes are good until this returns.
    func receivedBody(_ bytes: UnsafeRawBufferPointer, on channel: UInt16)
    /// The loop's turn is ending: the moment to write what was put off.
    func turnEnds()
    /// The connection is over, once. Nil where this side closed it.
    func ended(_ error: BrokerError?)
}

/// A connection on the loop: reads frames and hands them on, writes what is in its output, keeps the heartbeat.
///
/// Frames are read with rabbitmq-c, which never waits here. They are written by ``OutputBuffer`` and one send(2) a turn:
/// rabbitmq-c's own sends wait for room in the socket, which a broker in alarm never makes.
@Loop final class Connection {
    /// What waits to be sent; appended to at will, sent at the end of the turn.
    var output = OutputBuffer()
    private(set) var isOpen = true
    /// Why the connection is over; nil where this side closed it.
    private(set) var error: BrokerError?
    /// Fires when the connection is over.
    let ended = Signal()
    let frameMaximum: Int

    private let handle: Handle
    private weak var owner: (any ConnectionOwner)?
    private var watch: LoopWatch?
    private var hook: LoopHook?
    private var timer: LoopTimer?
    private var isClosing = false
    private var waitsForRoom = false
    private var heartbeat: HeartbeatMonitor?
    private let isTLS: Bool

    /// Takes a connection over that has been set up.
    ///
    /// - Throws: ``BrokerError`` where the loop cannot watch the socket.
    init(_ handle: Handle, owner: any ConnectionOwner) throws(BrokerError) {
        self.handle = handle
        self.owner = owner
        frameMaximum = handle.frameMaximum
        isTLS = handle.tls != nil
        do throws(SystemError) {
            watch = try Loop.watch(handle.descriptor, for: .readable) { [weak self] in self?.ready($0) }
        } catch {
            throw BrokerError(kind: .lost, text: error.description)
        }
        hook = Loop.atEndOfTurn { [weak self] in self?.turnEnds() }
        if handle.heartbeat > 0 {
            let monitor = HeartbeatMonitor(interval: .seconds(handle.heartbeat), now: .now)
            heartbeat = monitor
            scheduleHeartbeat(monitor.period)
        }
    }

    /// Reads what came before the loop took over; called once, when the owner is ready for it.
    func start() {
        drain(mustRead: false)
    }

    // MARK: Reading

    private func ready(_ readiness: Readiness) {
        guard isOpen else { return }
        if readiness.contains(.writable) { flush() }
        if isOpen, !readiness.isDisjoint(with: [.readable, .failed]) {
            heartbeat?.received(at: .now)
            drain(mustRead: true)
        }
    }

    /// Reads frames until rabbitmq-c has none left; with `mustRead` it looks at the socket at least once.
    ///
    /// What is in rabbitmq-c's buffer would not make the socket readable again, and OpenSSL may keep a record back:
    /// under TLS reading goes on until there is nothing.
    private func drain(mustRead: Bool) {
        var mustRead = mustRead
        var frame = amqp_frame_t()
        var noWait = timeval(tv_sec: 0, tv_usec: 0)
        while isOpen, mustRead || handle.hasMore {
            let status = amqp_simple_wait_frame_noblock(handle.state, &frame, &noWait)
            switch amqp_status_enum(rawValue: status) {
            case AMQP_STATUS_OK: take(frame)
            case AMQP_STATUS_TIMEOUT: return
            default:
                return end(
                    isClosing && status == Int32(AMQP_STATUS_CONNECTION_CLOSED.rawValue)
                        ? nil : BrokerError(library: status, "reading"))
            }
            amqp_maybe_release_buffers_on_channel(handle.state, frame.channel)
            mustRead = isTLS
        }
    }

    private func take(_ frame: amqp_frame_t) {
        switch frame.frame_type {
        case FrameKind.method: take(IncomingMethod(frame.payload.method), on: frame.channel)
        case FrameKind.header:
            guard !isClosing else { return }
            let header = frame.payload.properties
            guard let decoded = header.decoded else { return fail(.malformed, "a header without properties") }
            let properties = Properties(decoded.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee)
            owner?.receivedHeader(properties, bodySize: header.body_size, on: frame.channel)
        case FrameKind.body:
            guard !isClosing else { return }
            owner?.receivedBody(frame.payload.body_fragment.buffer, on: frame.channel)
        default: break
        }
    }

    private func take(_ method: IncomingMethod, on channel: UInt16) {
        switch method {
        case .connectionClosed(let code, let text):
            output.appendConnectionCloseOK()
            flush()
            end(BrokerError(kind: .connectionClosed, code: code, text: text))
        case .connectionCloseOK: end(nil)
        case .channelClosed(let code, let text):
            guard !isClosing else { return output.appendChannelCloseOK(channel: channel) }
            output.appendChannelCloseOK(channel: channel)
            abandon(BrokerError(kind: .channelClosed, code: code, text: text))
        case .flow(let isActive): output.appendFlowOK(isActive: isActive, channel: channel)
        default:
            // After connection.close everything but its answer is to be discarded (AMQP 0-9-1, section 1.4.2.7).
            if !isClosing { owner?.received(method, on: channel) }
        }
    }

    // MARK: Writing

    private func turnEnds() {
        guard isOpen else { return }
        owner?.turnEnds()
        if isOpen, !output.isEmpty, !waitsForRoom { flush() }
    }

    /// Writes as much as the socket takes; what is left goes out when there is room.
    func flush() {
        guard isOpen else { return }
        var hasWritten = false
        while !output.isEmpty {
            switch output.withPending(handle.write) {
            case .wrote(let count):
                output.consume(count)
                hasWritten = true
                continue
            case .full: break
            case .failed: return end(BrokerError(kind: .lost, text: "writing: the socket failed"))
            }
            break
        }
        if hasWritten { heartbeat?.sent(at: .now) }
        waitForRoom(!output.isEmpty)
    }

    private func waitForRoom(_ waits: Bool) {
        guard waits != waitsForRoom else { return }
        waitsForRoom = waits
        do throws(SystemError) {
            try watch?.change(to: waits ? [.readable, .writable] : .readable)
        } catch {
            end(BrokerError(kind: .lost, text: error.description))
        }
    }

    // MARK: Heartbeat

    private func scheduleHeartbeat(_ period: Duration) {
        timer = Loop.schedule(after: period) { [weak self] in self?.beat() }
    }

    private func beat() {
        guard isOpen, let heartbeat else { return }
        switch heartbeat.verdict(at: .now) {
        case .fine: break
        case .mustSend:
            // While the socket is full there is enough on its way, and nothing to be gained from more.
            if output.isEmpty { output.appendHeartbeat() }
        case .silent: return end(BrokerError(kind: .silent, text: "nothing came for two heartbeats"))
        }
        scheduleHeartbeat(heartbeat.period)
    }

    // MARK: Ending

    /// Ends the connection because of what the broker sent.
    func fail(_ kind: BrokerError.Kind, _ text: StaticString) {
        abandon(BrokerError(kind: kind, text: "\(text)"))
    }

    /// Ends the connection over an error, with a goodbye that nobody waits for.
    func abandon(_ error: BrokerError) {
        guard isOpen else { return }
        output.appendConnectionClose()
        flush()
        end(error)
    }

    /// Sends what is left and says goodbye; nothing that comes after is handed on.
    func beginClose() {
        guard isOpen, !isClosing else { return }
        owner?.turnEnds()
        isClosing = true
        output.appendConnectionClose()
        flush()
    }

    /// Says goodbye and waits for the broker's answer: all that was sent before it has been received then.
    func close(within limit: Duration) async {
        beginClose()
        guard isOpen else { return }
        _ = await ended.waitThroughCancellation(within: limit)
        end(nil)
    }

    private func end(_ error: BrokerError?) {
        guard isOpen else { return }
        isOpen = false
        self.error = error
        watch?.cancel()
        hook?.cancel()
        timer?.cancel()
        owner?.ended(error)
        ended.fire()
    }
}
