internal import Contracts
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1

/// Handles one HTTP connection: passes its requests to the ``Gateway`` one after another, writes the responses,
/// enforces the timeouts, responds to malformed input, and closes the connection in such a way that the client still
/// receives the last response. ``HTTPConnectionState`` makes the decisions about the connection.
final class HTTPConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = Never
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// A part of a request that was received.
    private enum Part {
        case head(RequestHead)
        case body(ByteBuffer)
        case end
        /// The rest of the body will not arrive.
        case failure(Problem)
    }

    /// The time in nanoseconds for which input is still read after the output is closed. Unread input would cause a TCP
    /// reset, and a reset can discard the response before the client reads it (RFC 9112, section 9.6).
    private static let linger: UInt64 = 1_000_000_000
    private static let tooManyConnections = Problem(
        .unavailable, detail: "The server has too many connections.", retryAfter: 1)

    /// The maximum number of parts that wait. More can only arrive in one read, if a client sends very many requests
    /// without waiting for the responses.
    private static let maximumParts = 512

    private let gateway: Gateway
    private let peer: ClientAddress
    /// The connection's entry in the registry; `nil` if the registry had no room, so that the connection is closed.
    private let slot: ConnectionRegistry.Slot?
    private var state: HTTPConnectionState
    private var context: ChannelHandlerContext?
    private var timer = ConnectionTimer()

    /// The parts that were received and cannot be handled yet.
    private var parts = CircularBuffer<Part>()
    private var isHandlingParts = false
    /// Whether a read was delayed until `parts` is empty.
    private var isReadDelayed = false
    /// The request that is being handled.
    private var exchange: HTTPExchange?
    /// Whether the request that is refused has the method HEAD, so that the response has no body.
    private var refusesHead = false

    init(timeouts: ConnectionTimeouts, peer: ClientAddress, slot: ConnectionRegistry.Slot?, gateway: Gateway) {
        self.peer = peer
        self.slot = slot
        self.gateway = gateway
        state = HTTPConnectionState(timeouts: timeouts, now: Self.now)
    }

    private static var now: UInt64 { NIODeadline.now().uptimeNanoseconds }
}

// Input.
extension HTTPConnectionHandler {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        armTimer(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    /// Abandons the request that is being handled, because the connection is closed.
    private func end() {
        timer.cancel()
        state.shutDown()
        parts.removeAll()
        if let exchange { gateway.abandon(exchange) }
        exchange = nil
        context = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent, ChannelEvent.inputClosed: perform(state.quiesce(), context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// Records that bytes arrived, before they are parsed.
    func readBytes(_ count: Int) { state.readBytes(count, at: Self.now) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            do throws(MalformedRequest) {
                readHead(try RequestHead(head), context)
            } catch {
                perform(state.parseFailed(error.problem, at: Self.now), context)
            }
        case .body(let buffer): take(.body(buffer), state.readBody(buffer.readableBytes), context)
        // The ingress uses no trailers, and a server may discard them (RFC 9110, section 6.5.1).
        case .end: take(.end, state.readEnd(at: Self.now), context)
        }
    }

    private func readHead(_ head: RequestHead, _ context: ChannelHandlerContext) {
        state.expectRequest(head.persistence)
        if let slot, slot.isReserved, !head.path.hasPrefix("/health/") {
            refusesHead = head.method == .head
            return perform(state.refuseRequest(Self.tooManyConnections, at: Self.now), context)
        }
        take(.head(head), state.readHead(at: Self.now), context)
    }

    private func take(_ part: Part, _ action: HTTPConnectionState.ReadAction, _ context: ChannelHandlerContext) {
        switch action {
        case .pass:
            guard parts.count < Self.maximumParts else {
                gateway.log.write(.flooded)
                return context.close(promise: nil)
            }
            parts.append(part)
            handleParts()
        case .discard: break
        case .shutDown: shutDown(context)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        perform(state.parsedBytes(at: Self.now), context)
        armTimer(context)
        updateSlot()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard MalformedRequest.isReported(by: error) else {
            // The connection is broken.
            return context.close(promise: nil)
        }
        perform(state.parseFailed(MalformedRequest.problem(for: error), at: Self.now), context)
    }

    /// Delays the next read from the socket while parts wait, so that a client cannot fill the memory with requests.
    func read(context: ChannelHandlerContext) {
        if parts.isEmpty { context.read() } else { isReadDelayed = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        handleParts()
    }

    /// Shows the registry that a request is being handled, or that the client has made progress.
    private func updateSlot() {
        if state.awaitsReply { slot?.awaitReply() } else { slot?.recordProgress(at: Self.now) }
    }

    /// Handles the parts that can be handled now: the parts of the current request, and the next request if the current
    /// one is done and the client reads its responses.
    func handleParts() {
        guard !isHandlingParts else { return }
        isHandlingParts = true
        while let context, let part = parts.first {
            if case .head(let head) = part {
                guard exchange == nil else { break }
                guard state.mayBeginRequest else {
                    parts.removeAll()
                    break
                }
                guard context.channel.isWritable else { break }
                parts.removeFirst()
                begin(head, context)
            } else {
                guard let exchange, !exchange.isHeld else { break }
                parts.removeFirst()
                handle(part, exchange)
            }
        }
        isHandlingParts = false
        guard parts.isEmpty else { return }
        // A buffer never shrinks.
        if parts.capacity > 16 { parts = CircularBuffer() }
        if isReadDelayed {
            isReadDelayed = false
            context?.read()
        }
    }

    private func begin(_ head: RequestHead, _ context: ChannelHandlerContext) {
        let request = RequestContext(head, peer: peer, trusting: gateway.proxies)
        let exchange = HTTPExchange(request, on: self, context.eventLoop)
        self.exchange = exchange
        gateway.begin(exchange)
    }

    private func handle(_ part: Part, _ exchange: HTTPExchange) {
        switch part {
        case .head: break
        case .body(let buffer): gateway.receive(buffer, exchange)
        case .end:
            exchange.hasEnded = true
            gateway.end(exchange)
        case .failure(let problem):
            exchange.hasEnded = true
            gateway.fail(exchange, problem)
        }
        finishIfDone(exchange)
    }

    private func finishIfDone(_ exchange: HTTPExchange) {
        guard exchange.isDone, exchange === self.exchange else { return }
        self.exchange = nil
        handleParts()
    }
}

// Output.
extension HTTPConnectionHandler {
    func sendContinue() {
        guard let context, state.mayWriteInformational else { return }
        let buffer = context.channel.allocator.buffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    /// Writes the response to the current request. Does nothing if the connection was closed meanwhile.
    func respond(_ response: IngressResponse, to exchange: HTTPExchange) {
        guard let context, exchange === self.exchange, !exchange.hasResponded,
            let field = state.beginResponse(closes: gateway.mustClose(exchange.context, response))
        else { return }
        exchange.hasResponded = true
        exchange.reservation = response.reservation
        exchange.reservation?.allowEviction { [log = gateway.log, channel = context.channel] in
            log.write(.evicted)
            channel.close(promise: nil)
        }
        let head = ResponseHead(
            response, requestID: exchange.context.id, origin: exchange.context.fields.origin, connection: field)
        let promise = context.eventLoop.makePromise(of: Void.self)
        write(head, isHead: exchange.context.method == .head, promise, context)
        _ = state.endResponse(at: Self.now)
        whenSent(promise, context) { self.sent(exchange) }
        context.flush()
        updateSlot()
        armTimer(context)
        finishIfDone(exchange)
    }

    private func write(
        _ head: ResponseHead, isHead: Bool, _ promise: EventLoopPromise<Void>, _ context: ChannelHandlerContext
    ) {
        let body = isHead ? [] : head.response.body
        // A small body is copied behind the head, because one buffer is cheaper to write than two.
        let isSmall = body.count <= ByteBudget.smallResponse
        var buffer = context.channel.allocator.buffer(capacity: 1024 + (isSmall ? body.count : 0))
        gateway.heads.write(head, to: &buffer)
        if isSmall {
            buffer.writeBytes(body)
            context.write(wrapOutboundOut(buffer), promise: promise)
        } else {
            context.write(wrapOutboundOut(buffer), promise: nil)
            context.write(wrapOutboundOut(ByteBuffer(bytes: body)), promise: promise)
        }
    }

    /// Releases the bytes of a large response that was sent. The next request of the connection waits until then.
    private func sent(_ exchange: HTTPExchange) {
        guard let reservation = exchange.reservation else { return }
        reservation.release()
        exchange.reservation = nil
        finishIfDone(exchange)
    }

    /// Reports to the state that a response was written to the socket, and calls a closure.
    private func whenSent(
        _ promise: EventLoopPromise<Void>, _ context: ChannelHandlerContext, _ completed: @escaping () -> Void = {}
    ) {
        promise.futureResult.assumeIsolated().whenSuccess { [self] in
            perform(state.responseSent(at: Self.now), context)
            armTimer(context)
            updateSlot()
            completed()
        }
    }

    private func perform(_ action: HTTPConnectionState.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .none: break
        case .refuse(let problem): refuse(problem, context)
        case .shutDown: shutDown(context)
        case .close: context.close(promise: nil)
        case .closeStalled:
            gateway.log.write(.stalled)
            context.close(promise: nil)
        case .failBody(let problem):
            parts.append(.failure(problem))
            handleParts()
        }
    }

    /// Responds to an incomplete or malformed request.
    private func refuse(_ problem: Problem, _ context: ChannelHandlerContext) {
        let promise = context.eventLoop.makePromise(of: Void.self)
        whenSent(promise, context)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        gateway.refusal(problem, to: peer) { [eventLoop = context.eventLoop] response, id in
            eventLoop.execute { bound.value.writeRefusal(response, id, promise) }
        }
    }

    private func writeRefusal(_ response: IngressResponse, _ id: String, _ promise: EventLoopPromise<Void>) {
        guard let context, state.isSendingLastResponse else { return promise.fail(ChannelError.outputClosed) }
        write(ResponseHead(response, requestID: id, connection: .close), isHead: refusesHead, promise, context)
        context.flush()
    }

    private func shutDown(_ context: ChannelHandlerContext) {
        guard !state.isShutDown else { return }
        state.shutDown()
        context.flush()
        context.close(mode: .output, promise: nil)
        timer.cancel()
        timer.arm(at: Self.now + Self.linger, on: context.eventLoop) { context.close(promise: nil) }
    }
}

// Timeouts.
extension HTTPConnectionHandler {
    private func armTimer(_ context: ChannelHandlerContext) {
        guard !state.isShutDown else { return }
        timer.arm(at: state.deadlines.deadline, on: context.eventLoop) { self.timerFired(context) }
    }

    private func timerFired(_ context: ChannelHandlerContext) {
        timer.cancel()
        if !state.hasSentAllResponses { reportProgress(context) }
        let action = state.checkDeadline(at: Self.now)
        perform(action, context)
        if action == .close || action == .closeStalled { return }
        armTimer(context)
    }

    private func reportProgress(_ context: ChannelHandlerContext) {
        do {
            let unsent = try context.channel.syncOptions?.getOption(.bufferedWritableBytes) ?? 0
            if state.stillUnsent(unsent, at: Self.now) { updateSlot() }
        } catch {
            // The channel is closed.
            context.close(promise: nil)
        }
    }
}
