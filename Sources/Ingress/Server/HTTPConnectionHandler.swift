internal import Contracts
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore
internal import NIOHTTPTypes

/// Watches over one connection: ends what takes too long, answers what is no HTTP, and closes so that the last answer
/// still arrives.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// The response to what never became a request.
    typealias Refused = (head: HTTPResponse, body: ByteBuffer)
    /// Makes the response to what never became a request.
    typealias Refusal = @Sendable (Problem, any Channel) -> EventLoopFuture<Refused>

    /// How long a closed connection still reads what the client is sending, so that no reset overtakes the answer.
    private static let linger: TimeAmount = .seconds(1)
    /// How much of a body is read after its answer, so that the connection can be used again.
    private static let drainLimit = 64 * 1024

    private enum Stage {
        /// Requests are taken.
        case open
        /// What comes in is dropped. The answers that are due are still written, then the problem if there is one.
        case ending(Problem?)
        /// The last answer is written, or being made of a problem, and has yet to be sent.
        case leaving
        /// Everything has left; it waits for the client to have read it.
        case lingering
    }

    private let refusal: Refusal
    private var clock: ConnectionClock
    private var timer: Scheduled<Void>?
    private var timerDeadline = UInt64.max
    private var stage = Stage.open
    /// What becomes of the connection after each answer that is still to be written.
    private var owed = CircularBuffer<RequestHead.Persistence>(initialCapacity: 1)
    private var isWritingAnswer = false
    /// Whether the answer being written is the last one.
    private var closes = false
    /// How many answers are written, and still wait for the network.
    private var unsent = 0
    /// Whether the request being read is the last one taken.
    private var isLast = false
    private var isStopping = false
    private var drained = 0

    init(limits: ConnectionLimits, refusal: @escaping Refusal) {
        self.refusal = refusal
        clock = ConnectionClock(limits: limits, now: Self.now)
    }

    private static var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

    private var isOpen: Bool { if case .open = stage { true } else { false } }

    /// Bytes have come, before they are parsed.
    func bytesCame() {
        if isOpen { clock.readBytes(at: Self.now) }
    }

    /// The fields of a request have come and will be read next.
    func headCame(_ persistence: RequestHead.Persistence) {
        guard isOpen else { return }
        owed.append(persistence)
        // Whatever comes behind it is none of ours (RFC 9112, section 9.6).
        isLast = persistence == .none
    }

    func handlerAdded(context: ChannelHandlerContext) {
        arm(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        stage = .lingering
        context.fireChannelInactive()
    }

    /// The server stops: what is in hand is finished, and nothing new begins.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent else { return context.fireUserInboundEventTriggered(event) }
        isStopping = true
        if isOpen, owed.isEmpty, unsent == 0 { context.close(promise: nil) }
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard isOpen else { return }
        switch unwrapInboundIn(data) {
        case .head:
            drained = 0
            clock.readHead(at: Self.now)
        case .body(let buffer):
            // Its answer is written: what still comes of its body is read only so that the next request can be.
            if owed.isEmpty {
                drained += buffer.readableBytes
                if drained > Self.drainLimit { return leave(context) }
            }
        case .end:
            clock.readEnd(at: Self.now)
            if isLast { stage = .ending(nil) }
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        arm(context)
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard BadRequest.isOne(error) else { return context.fireErrorCaught(error) }
        guard isOpen else { return }
        guard clock.isReadingBody else { return refuse(BadRequest.problem(error), context) }
        // Whoever reads the body answers; where that is done already, a second answer would belong to nothing.
        guard !owed.isEmpty else { return leave(context) }
        isLast = true
        context.fireErrorCaught(error)
    }

    // MARK: Out

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head) where head.status.kind == .informational:
            guard isOpen else { return fail(promise) }
            context.write(data, promise: promise)
        case .head(var head):
            guard let persistence = owed.first, mayAnswer, !isWritingAnswer else { return fail(promise) }
            isWritingAnswer = true
            persist(persistence, &head)
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            guard isWritingAnswer else { return fail(promise) }
            context.write(data, promise: promise)
        case .end:
            guard isWritingAnswer else { return fail(promise) }
            isWritingAnswer = false
            owed.removeFirst()
            if closes { stage = .leaving }
            context.write(data, promise: whenSent(promise, context))
        }
    }

    private var mayAnswer: Bool {
        switch stage {
        case .open, .ending: true
        case .leaving, .lingering: false
        }
    }

    private func fail(_ promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.outputClosed)
    }

    /// Says in the answer what becomes of the connection, and remembers it.
    private func persist(_ persistence: RequestHead.Persistence, _ head: inout HTTPResponse) {
        if isLast || isStopping, owed.count == 1, !isRefusing { head.headerFields[.connection] = "close" }
        if head.headerFields[.connection] == "close" {
            closes = true
            stage = .ending(nil)
        } else if persistence == .told {
            head.headerFields[.connection] = "keep-alive"
        }
    }

    private var isRefusing: Bool { if case .ending(.some) = stage { true } else { false } }

    /// An answer's time is over when the network has it, not while it waits for a client that does not read.
    private func whenSent(
        _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext
    ) -> EventLoopPromise<Void> {
        unsent += 1
        let sent = promise ?? context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenSuccess { [self] in
            unsent -= 1
            clock.wroteEnd(at: Self.now)
            goOn(context)
        }
        return sent
    }

    // MARK: Ends

    /// Does what follows, once all that was written has been sent.
    private func goOn(_ context: ChannelHandlerContext) {
        guard unsent == 0 else { return arm(context) }
        switch stage {
        case .ending(let problem?) where owed.isEmpty: refuse(problem, context)
        case .ending where owed.isEmpty, .leaving: leave(context)
        case .open where isStopping && owed.isEmpty: leave(context)
        default: arm(context)
        }
    }

    /// Answers what is no request, after the requests before it, and closes.
    private func refuse(_ problem: Problem, _ context: ChannelHandlerContext) {
        guard owed.isEmpty, unsent == 0 else {
            stage = .ending(problem)
            return
        }
        stage = .leaving
        // Nothing more is read: its time must not end the connection before the answer is made.
        clock.readEnd(at: Self.now)
        let sent = whenSent(nil, context)
        refusal(problem, context.channel).assumeIsolated().whenComplete { [self] result in
            guard case .leaving = stage, case .success(let refused) = result else {
                return sent.fail(ChannelError.outputClosed)
            }
            context.write(wrapOutboundOut(.head(refused.head)), promise: nil)
            context.write(wrapOutboundOut(.body(refused.body)), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: sent)
        }
    }

    /// Ends sending, and reads for a moment what the client still sends.
    private func leave(_ context: ChannelHandlerContext) {
        if case .lingering = stage { return }
        stage = .lingering
        timer?.cancel()
        context.flush()
        context.close(mode: .output, promise: nil)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.linger) { context.close(promise: nil) }
    }

    private func arm(_ context: ChannelHandlerContext) {
        if case .lingering = stage { return }
        let deadline = clock.deadline
        // A later deadline waits for the timer that is set already: nothing is rescheduled with every request.
        guard timer == nil || deadline < timerDeadline else { return }
        timer?.cancel()
        timerDeadline = deadline
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(deadline)) {
            self.timerFired(context)
        }
    }

    private func timerFired(_ context: ChannelHandlerContext) {
        timer = nil
        switch clock.expire(at: Self.now) {
        case .wait: break
        case .close: return context.close(promise: nil)
        case .headTooSlow:
            guard isOpen else { return context.close(promise: nil) }
            refuse(Problem(.requestTimeout), context)
        case .bodyTooSlow:
            // Whoever reads the body answers; where nobody does, it has been answered already.
            guard !owed.isEmpty, isOpen else { return context.close(promise: nil) }
            isLast = true
            context.fireErrorCaught(BodyReader.TooSlow())
        }
        arm(context)
    }
}

/// Tells the guard of bytes before they are parsed, so that a request's slow beginning counts.
final class ByteWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: ConnectionGuard

    init(_ connection: ConnectionGuard) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.bytesCame()
        context.fireChannelRead(data)
    }
}
