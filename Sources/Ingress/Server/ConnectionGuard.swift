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

    /// Makes the response to a request that never became one.
    typealias Refusal = @Sendable (Problem) -> (head: HTTPResponse, body: ByteBuffer)

    /// How long a closed connection still reads what the client is sending, so that no reset overtakes the answer.
    private static let linger: TimeAmount = .seconds(1)
    /// How much of a body is read after its answer, so that the connection can be used again.
    private static let drainLimit = 64 * 1024

    private enum Closing {
        case no
        /// After the answer that is being written.
        case afterAnswer
        /// The last answer is written; what comes in is dropped.
        case lingering
    }

    private let refusal: Refusal
    private var clock: ConnectionClock
    private var timer: Scheduled<Void>?
    private var timerDeadline = UInt64.max
    private var closing = Closing.no
    private var isWritingAnswer = false
    private var refused: Problem?
    private var drained = 0

    init(limits: ConnectionLimits, refusal: @escaping Refusal) {
        self.refusal = refusal
        clock = ConnectionClock(limits: limits, now: Self.now)
    }

    private static var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

    /// Bytes have come, before they are parsed.
    func bytesCame() {
        clock.readBytes(at: Self.now)
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
        context.fireChannelInactive()
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isLingering else { return }
        switch unwrapInboundIn(data) {
        case .head:
            drained = 0
            clock.readHead(at: Self.now)
        case .body(let buffer):
            // Its answer is written: what still comes of its body is read only so that the next request can be.
            if clock.unanswered == 0 {
                drained += buffer.readableBytes
                if drained > Self.drainLimit { return beginLingering(context) }
            }
        case .end:
            clock.readEnd(at: Self.now)
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        arm(context)
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard BadRequest.isOne(error) else { return context.fireErrorCaught(error) }
        guard !isLingering else { return }
        if clock.isReadingBody && clock.unanswered > 0 { return context.fireErrorCaught(error) }
        refuse(BadRequest.problem(error), context)
    }

    // MARK: Out

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            guard !isLingering, clock.unanswered > 0 else {
                promise?.fail(ChannelError.outputClosed)
                return
            }
            isWritingAnswer = true
            if head.headerFields[.connection] == "close" { closing = .afterAnswer }
            context.write(data, promise: promise)
        case .body:
            guard isWritingAnswer else {
                promise?.fail(ChannelError.outputClosed)
                return
            }
            context.write(data, promise: promise)
        case .end:
            guard isWritingAnswer else {
                promise?.fail(ChannelError.outputClosed)
                return
            }
            isWritingAnswer = false
            clock.wroteEnd(at: Self.now)
            context.write(data, promise: promise)
            if case .afterAnswer = closing {
                beginLingering(context)
            } else if let problem = refused, clock.unanswered == 0 {
                refuse(problem, context)
            }
        }
    }

    // MARK: Ends

    private var isLingering: Bool { if case .lingering = closing { true } else { false } }

    /// Answers what is no request, after the requests before it, and closes.
    private func refuse(_ problem: Problem, _ context: ChannelHandlerContext) {
        guard clock.unanswered == 0, !isWritingAnswer else {
            refused = problem
            return
        }
        let (head, body) = refusal(problem)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        context.write(wrapOutboundOut(.end(nil)), promise: nil)
        beginLingering(context)
    }

    private func beginLingering(_ context: ChannelHandlerContext) {
        closing = .lingering
        timer?.cancel()
        context.flush()
        context.close(mode: .output, promise: nil)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.linger) { context.close(promise: nil) }
    }

    private func arm(_ context: ChannelHandlerContext) {
        guard !isLingering else { return }
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
        guard !isLingering else { return }
        switch clock.expire(at: Self.now) {
        case .wait: break
        case .close: return context.close(promise: nil)
        case .headTooSlow: return refuse(Problem(.requestTimeout), context)
        case .bodyTooSlow:
            // Whoever reads the body answers; where nobody does, it has been answered already.
            guard clock.unanswered > 0 else { return context.close(promise: nil) }
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
