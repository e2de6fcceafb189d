internal import Contracts
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore
internal import NIOHTTPTypes

/// Enforces the timeouts of one HTTP connection, responds to malformed input, and closes the connection in such a way
/// that the client still receives the last response. ``HTTPConnectionState`` makes the decisions.
final class HTTPConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// The response to an incomplete or malformed request.
    typealias ErrorResponse = (head: HTTPResponse, body: ByteBuffer)
    /// Makes the response to an incomplete or malformed request.
    typealias MakeErrorResponse = @Sendable (Problem, any Channel) -> EventLoopFuture<ErrorResponse>
    /// Called when the connection is closed because the client does not read its response.
    typealias OnStall = @Sendable () -> Void

    /// The time for which input is still read after the output is closed. Unread input would cause a TCP reset, and a
    /// reset can discard the response before the client reads it (RFC 9112, section 9.6).
    private static let linger: TimeAmount = .seconds(1)

    private static let tooManyConnections = Problem(
        .unavailable, detail: "The server has too many connections.", retryAfter: 1)

    private let makeErrorResponse: MakeErrorResponse
    private let onStall: OnStall
    /// Shows the registry of connections whether this one may be closed; `nil` if the connection is being closed,
    /// because there was no room for it.
    private let slot: ConnectionRegistry.Slot?
    private var state: HTTPConnectionState
    /// Whether the request that is refused has the method HEAD, so that the response has no body.
    private var refusesHead = false
    private var timer: Scheduled<Void>?
    private var timerDeadline = UInt64.max
    /// Completed when all responses that were written are in the buffer of the socket.
    private var allSent: EventLoopPromise<Void>?

    init(
        timeouts: ConnectionTimeouts, slot: ConnectionRegistry.Slot?, makeErrorResponse: @escaping MakeErrorResponse,
        onStall: @escaping OnStall
    ) {
        self.onStall = onStall
        self.slot = slot
        self.makeErrorResponse = makeErrorResponse
        state = HTTPConnectionState(timeouts: timeouts, now: Self.now)
    }

    private static var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

    /// Records that bytes arrived, before they are parsed.
    func readBytes(_ count: Int) { state.readBytes(count, at: Self.now) }

    /// Records that the head of a request was parsed. The parts of the request are read after this call.
    func expectRequest(_ persistence: RequestHead.Persistence) { state.expectRequest(persistence) }

    func handlerAdded(context: ChannelHandlerContext) {
        armTimer(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        state.shutDown()
        allSent?.fail(ChannelError.ioOnClosedChannel)
        allSent = nil
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent else { return context.fireUserInboundEventTriggered(event) }
        perform(state.quiesce(), nil, context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let action =
            switch unwrapInboundIn(data) {
            case .head(let head): readHead(head, context)
            case .body(let buffer): state.readBody(buffer.readableBytes)
            case .end: state.readEnd(at: Self.now)
            }
        switch action {
        case .pass: context.fireChannelRead(data)
        case .discard: break
        case .shutDown: shutDown(context)
        }
    }

    private func readHead(
        _ head: HTTPRequest, _ context: ChannelHandlerContext
    ) -> HTTPConnectionState.ReadAction {
        if let slot, slot.isReserved, head.path?.hasPrefix("/health/") != true {
            refusesHead = head.method == .head
            perform(state.refuseRequest(Self.tooManyConnections, at: Self.now), nil, context)
            return .discard
        }
        return state.readHead(at: Self.now)
    }

    /// Shows the registry that a request is being handled, or that the client has made progress.
    private func updateSlot() {
        if state.awaitsReply { slot?.awaitReply() } else { slot?.recordProgress(at: Self.now) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        perform(state.parsedBytes(at: Self.now), MalformedRequest.longFraming, context)
        armTimer(context)
        updateSlot()
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard MalformedRequest.isReported(by: error) else { return context.fireErrorCaught(error) }
        perform(state.parseFailed(MalformedRequest.problem(for: error), at: Self.now), error, context)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head) where head.status.kind == .informational:
            guard state.mayWriteInformational else { return fail(promise) }
            context.write(data, promise: promise)
        case .head(var head):
            let closes = head.headerFields[.connection] == "close"
            guard let field = state.beginResponse(closes: closes) else { return fail(promise) }
            switch field {
            case .unchanged: break
            case .keepAlive: head.headerFields[.connection] = "keep-alive"
            case .close: head.headerFields[.connection] = "close"
            }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            guard state.mayWriteBody else { return fail(promise) }
            context.write(data, promise: promise)
        case .end:
            guard state.endResponse(at: Self.now) else { return fail(promise) }
            context.write(data, promise: whenSent(promise, context))
            updateSlot()
            armTimer(context)
        }
    }

    private func fail(_ promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.outputClosed)
    }

    /// Returns a promise that reports to the state that a response was written to the socket.
    private func whenSent(
        _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext
    ) -> EventLoopPromise<Void> {
        let sent = promise ?? context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenSuccess { [self] in
            perform(state.responseSent(at: Self.now), nil, context)
            armTimer(context)
            updateSlot()
            guard state.hasSentAllResponses else { return }
            allSent?.succeed()
            allSent = nil
        }
        return sent
    }
}

extension HTTPConnectionHandler {
    /// Waits until all responses that were written to a connection are in the buffer of its socket.
    ///
    /// - Throws: an error if the connection is closed before.
    static func waitUntilSent(_ channel: any Channel) async throws {
        try await channel.eventLoop.flatSubmit {
            do {
                return try channel.pipeline.syncOperations.handler(type: Self.self).whenAllSent(channel)
            } catch {
                return channel.eventLoop.makeFailedFuture(error)
            }
        }.get()
    }

    private func whenAllSent(_ channel: any Channel) -> EventLoopFuture<Void> {
        guard !state.hasSentAllResponses else { return channel.eventLoop.makeSucceededVoidFuture() }
        guard channel.isActive else { return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel) }
        let promise = allSent ?? channel.eventLoop.makePromise(of: Void.self)
        allSent = promise
        return promise.futureResult
    }
}

extension HTTPConnectionHandler {
    /// - Parameter error: the error that `failBody` passes to the reader of the body.
    private func perform(
        _ action: HTTPConnectionState.Action, _ error: (any Error)?, _ context: ChannelHandlerContext
    ) {
        switch action {
        case .none: break
        case .refuse(let problem): refuse(problem, context)
        case .shutDown: shutDown(context)
        case .close: context.close(promise: nil)
        case .closeStalled:
            onStall()
            context.close(promise: nil)
        case .failBody: if let error { context.fireErrorCaught(error) }
        }
    }

    private func refuse(_ problem: Problem, _ context: ChannelHandlerContext) {
        let sent = whenSent(nil, context)
        makeErrorResponse(problem, context.channel).assumeIsolated().whenComplete { [self] result in
            guard state.isSendingLastResponse, case .success(let response) = result else {
                return sent.fail(ChannelError.outputClosed)
            }
            context.write(wrapOutboundOut(.head(response.head)), promise: nil)
            if !refusesHead { context.write(wrapOutboundOut(.body(response.body)), promise: nil) }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: sent)
        }
    }

    private func shutDown(_ context: ChannelHandlerContext) {
        guard !state.isShutDown else { return }
        state.shutDown()
        timer?.cancel()
        context.flush()
        context.close(mode: .output, promise: nil)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.linger) { context.close(promise: nil) }
    }

    private func armTimer(_ context: ChannelHandlerContext) {
        guard !state.isShutDown else { return }
        let deadline = state.deadlines.deadline
        // A timer with an earlier deadline is kept. It is armed again when it fires, so that not every request needs a
        // new timer.
        guard timer == nil || deadline < timerDeadline else { return }
        timer?.cancel()
        timerDeadline = deadline
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(deadline)) {
            self.timerFired(context)
        }
    }

    private func timerFired(_ context: ChannelHandlerContext) {
        timer = nil
        if !state.hasSentAllResponses { reportProgress(context) }
        let action = state.checkDeadline(at: Self.now)
        perform(action, BodyReader.BodyTimeout(), context)
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

/// Reports the arrival of bytes to the connection's handler before the bytes are parsed, so that the head timeout
/// starts with the first byte.
final class InboundBytesHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: HTTPConnectionHandler

    init(_ connection: HTTPConnectionHandler) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.readBytes(unwrapInboundIn(data).readableBytes)
        context.fireChannelRead(data)
    }
}
