internal import Contracts
internal import NIOCore
internal import WorkerKit

/// One request and its response. It is used on the event loop of its connection only.
final class HTTPExchange {
    /// The message to send when the body is complete.
    struct PendingMessage {
        var request: OutgoingRequest
        let limit: Route.RateLimitClass
        /// The charges that are still to be made.
        var charges: RequestCharges
        /// The decisions of the rate limits to which an upload was charged before its body was read.
        var uploadDecisions: [RateDecision] = []
        /// The bytes of the budget that are reserved for the body.
        var reservation: ByteReservation?
    }

    let context: RequestContext
    let start = ContinuousClock.now
    /// Collects the body; `nil` if the request's body is not used.
    var body: (any BodyCollector)?
    var message: PendingMessage?
    /// Whether the request or its response contains a password or a token. Such a response is not compressed, because
    /// the length of a compressed response can reveal a part of its content (the attack BREACH).
    var hasCredentials = false
    /// Whether the connection must not pass on the parts of the body yet.
    var isHeld = false
    /// Whether the whole request has arrived, or no more of it will arrive.
    var hasEnded = false
    /// Whether the response was written to the channel.
    var hasResponded = false
    /// The bytes of the budget that are reserved for a large response until it is sent.
    var reservation: ByteReservation?

    private let connection: HTTPConnectionHandler
    private let eventLoop: any EventLoop

    init(_ context: RequestContext, on connection: HTTPConnectionHandler, _ eventLoop: any EventLoop) {
        self.context = context
        self.connection = connection
        self.eventLoop = eventLoop
    }

    /// Whether the next request of the connection may be handled.
    var isDone: Bool { hasEnded && hasResponded && reservation == nil }

    /// Sends the response.
    func respond(_ response: IngressResponse) { connection.respond(response, to: self) }

    /// Tells a client that waits for `100 Continue` to send the body.
    func sendContinue() { if context.fields.expectsContinue { connection.sendContinue() } }

    /// Lets the connection pass on the parts of the body.
    func resume() {
        isHeld = false
        connection.handleParts()
    }

    /// Returns a closure that any thread may call. It runs `body` on the event loop of the connection.
    func onEventLoop<Value: Sendable>(
        _ body: @escaping (HTTPExchange, Value) -> Void
    ) -> @Sendable (Value) -> Void {
        let eventLoop = eventLoop
        let bound = NIOLoopBound((exchange: self, body: body), eventLoop: eventLoop)
        return { value in eventLoop.execute { bound.value.body(bound.value.exchange, value) } }
    }
}
