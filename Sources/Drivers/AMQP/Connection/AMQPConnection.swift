internal import CRabbitMQ
internal import Reactor

/// Receives the frames of a connection, and is notified of its end. ``Publisher`` and ``Consumer`` implement it.
@Loop protocol AMQPConnectionDelegate: AnyObject {
    /// Called for each method except close, flow and their answers. The connection handles these methods itself.
    func received(_ method: IncomingMethod, on channel: UInt16)
    /// Called when the broker has closed a channel because of an error.
    ///
    /// - Returns: whether the connection continues without the channel. Otherwise it ends with the error.
    func channelClosed(_ error: AMQPError, on channel: UInt16) -> Bool
    /// Called for each content header.
    func receivedHeader(_ properties: Properties, bodySize: UInt64, on channel: UInt16)
    /// Called for each body frame. The bytes are valid until the call returns.
    func receivedBody(_ bytes: UnsafeRawBufferPointer, on channel: UInt16)
    /// Called before the output is sent: at the end of each turn of the loop, and before this side sends
    /// connection.close in an orderly close. The delegate can append frames that it collected during the turn, for
    /// example acknowledgements.
    func turnWillEnd()
    /// Called once, when the connection has ended.
    ///
    /// - Parameter error: `nil` after an orderly close (``AMQPConnection/beginClose()``,
    ///   ``AMQPConnection/close(within:)``); otherwise the reason why the connection ended.
    func connectionEnded(_ error: AMQPError?)
}

/// A connection to the broker, on the loop. It passes incoming frames to its delegate, sends its output, and sends and
/// checks heartbeats.
///
/// rabbitmq-c reads the incoming frames, without blocking. It is not used to send frames, because its sends block until
/// the socket has room, and a broker in alarm does not read from connections that publish. Instead, outgoing frames are
/// encoded into an ``OutputBuffer``, and written without blocking at the end of each turn of the loop.
@Loop final class AMQPConnection {
    /// The encoded frames to send. They are sent at the end of the turn.
    var output = OutputBuffer()
    private(set) var isOpen = true
    /// The reason why the connection ended; `nil` while it is open and after an orderly close (``beginClose()``,
    /// ``close(within:)``).
    private(set) var error: AMQPError?
    /// Fires when the connection has ended.
    let ended = Signal()
    let frameMaximum: Int

    private let handle: AMQPHandle
    private weak var delegate: (any AMQPConnectionDelegate)?
    private var watch: LoopWatch?
    private var hook: LoopHook?
    private var timer: LoopTimer?
    private var isClosing = false
    private var isSocketFull = false
    private var heartbeat: HeartbeatMonitor?
    private let isTLS: Bool

    /// Takes over a prepared connection.
    ///
    /// - Throws: ``AMQPError`` if the loop cannot watch the socket.
    init(_ handle: AMQPHandle, delegate: any AMQPConnectionDelegate) throws(AMQPError) {
        self.handle = handle
        self.delegate = delegate
        frameMaximum = handle.frameMaximum
        isTLS = handle.tls != nil
        do throws(SystemError) {
            watch = try Loop.watch(handle.descriptor, for: .readable) { [weak self] in self?.socketReady($0) }
        } catch {
            throw AMQPError(.lost, "cannot watch the socket", cause: error)
        }
        hook = Loop.atEndOfTurn { [weak self] in self?.turnWillEnd() }
        if handle.heartbeat > 0 {
            let monitor = HeartbeatMonitor(interval: .seconds(handle.heartbeat), now: .now)
            heartbeat = monitor
            scheduleHeartbeat(monitor.period)
        }
    }

    /// Reads the frames that arrived while the connection was prepared. Call it once, when the delegate is ready.
    func start() {
        readFrames(fromSocket: false)
    }

    // MARK: Reading

    private func socketReady(_ readiness: Readiness) {
        guard isOpen else { return }
        if readiness.contains(.writable) { flush() }
        if isOpen, !readiness.isDisjoint(with: [.readable, .failed]) {
            heartbeat?.received(at: .now)
            readFrames(fromSocket: true)
        }
    }

    /// Reads frames until rabbitmq-c's buffer holds no whole frame.
    ///
    /// Buffered bytes do not make the socket readable again, so the buffer must be emptied. With TLS, OpenSSL may
    /// buffer a record as well, so reading continues until a read finds no frame.
    ///
    /// - Parameter fromSocket: whether to read from the socket at least once.
    private func readFrames(fromSocket: Bool) {
        var mustRead = fromSocket
        var frame = amqp_frame_t()
        var noWait = timeval(tv_sec: 0, tv_usec: 0)
        while isOpen, mustRead || handle.hasBufferedInput {
            let status = amqp_simple_wait_frame_noblock(handle.state, &frame, &noWait)
            switch amqp_status_enum(rawValue: status) {
            case AMQP_STATUS_OK: process(frame)
            case AMQP_STATUS_TIMEOUT: return
            default:
                return end(
                    isClosing && status == Int32(AMQP_STATUS_CONNECTION_CLOSED.rawValue)
                        ? nil : AMQPError(library: status, "reading"))
            }
            amqp_maybe_release_buffers_on_channel(handle.state, frame.channel)
            mustRead = isTLS
        }
    }

    private func process(_ frame: amqp_frame_t) {
        switch frame.frame_type {
        case FrameType.method: process(IncomingMethod(frame.payload.method), on: frame.channel)
        case FrameType.header:
            guard !isClosing else { return }
            let header = frame.payload.properties
            guard let decoded = header.decoded else { return fail(.malformed, "content header without properties") }
            let properties = Properties(decoded.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee)
            delegate?.receivedHeader(properties, bodySize: header.body_size, on: frame.channel)
        case FrameType.body:
            guard !isClosing else { return }
            delegate?.receivedBody(frame.payload.body_fragment.buffer, on: frame.channel)
        default: break
        }
    }

    private func process(_ method: IncomingMethod, on channel: UInt16) {
        switch method {
        case .connectionClosed(let code, let text):
            output.appendConnectionCloseOK()
            flush()
            end(AMQPError(.connectionClosed, text, replyCode: code))
        case .connectionCloseOK: end(nil)
        // After this side has sent connection.close, it must discard all methods except connection.close and
        // connection.close-ok (AMQP 0-9-1, connection.close, rule `stability`).
        case _ where isClosing: break
        case .channelClosed(let code, let text):
            output.appendChannelCloseOK(channel: channel)
            let error = AMQPError(.channelClosed, text, replyCode: code)
            if delegate?.channelClosed(error, on: channel) != true { abandon(error) }
        case .flow(let isActive): output.appendFlowOK(isActive: isActive, channel: channel)
        default: delegate?.received(method, on: channel)
        }
    }

    // MARK: Writing

    private func turnWillEnd() {
        guard isOpen else { return }
        delegate?.turnWillEnd()
        if isOpen, !output.isEmpty, !isSocketFull { flush() }
    }

    /// Sends as much output as the socket accepts. The rest is sent when the socket is writable again.
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
            case .failed: return end(AMQPError(.lost, "cannot write to the socket"))
            }
            break
        }
        if hasWritten { heartbeat?.sent(at: .now) }
        watchForWriting(!output.isEmpty)
    }

    private func watchForWriting(_ isFull: Bool) {
        guard isFull != isSocketFull else { return }
        isSocketFull = isFull
        do throws(SystemError) {
            try watch?.change(to: isFull ? [.readable, .writable] : .readable)
        } catch {
            end(AMQPError(.lost, "cannot watch the socket", cause: error))
        }
    }

    // MARK: Heartbeat

    private func scheduleHeartbeat(_ period: Duration) {
        timer = Loop.schedule(after: period) { [weak self] in self?.checkHeartbeat() }
    }

    private func checkHeartbeat() {
        guard isOpen, let heartbeat else { return }
        switch heartbeat.action(at: .now) {
        case .wait: break
        case .sendHeartbeat:
            // If output is waiting because the socket is full, no heartbeat is appended. The waiting output serves as
            // the heartbeat when it is sent.
            if output.isEmpty { output.appendHeartbeat() }
        case .close: return end(AMQPError(.silent, "no data received for two heartbeat intervals"))
        }
        scheduleHeartbeat(heartbeat.period)
    }

    // MARK: Ending

    /// Ends the connection because the broker sent a frame after which the connection cannot continue.
    func fail(
        _ code: ErrorCode<AMQPError>, _ message: StaticString, fileID: StaticString = #fileID, line: UInt = #line
    ) {
        abandon(AMQPError(code, "\(message)", fileID: fileID, line: line))
    }

    /// Ends the connection with an error: sends connection.close, but does not wait for the answer.
    private func abandon(_ error: AMQPError) {
        guard isOpen else { return }
        output.appendConnectionClose()
        flush()
        end(error)
    }

    /// Sends the remaining output and connection.close. Frames that arrive later are not passed to the delegate.
    func beginClose() {
        guard isOpen, !isClosing else { return }
        delegate?.turnWillEnd()
        isClosing = true
        output.appendConnectionClose()
        flush()
    }

    /// Sends the remaining output and connection.close, and waits for connection.close-ok. This answer shows that the
    /// broker has received all of the output.
    ///
    /// - Parameter limit: how long to wait. After this time the connection ends even without the answer.
    func close(within limit: Duration) async {
        beginClose()
        guard isOpen else { return }
        _ = await ended.waitThroughCancellation(within: limit)
        end(nil)
    }

    private func end(_ error: AMQPError?) {
        guard isOpen else { return }
        isOpen = false
        self.error = error
        watch?.cancel()
        hook?.cancel()
        timer?.cancel()
        delegate?.connectionEnded(error)
        ended.fire()
    }
}
