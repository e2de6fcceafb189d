internal import AMQP
internal import Contracts
internal import Reactor
internal import Redis
internal import Synchronization
internal import WorkerKit

/// Gives the HTTP threads access to the broker and Redis, whose connections run on the event loop of the process.
///
/// Each call changes threads twice, to the loop and back. Therefore ``send(_:charges:)`` both charges a request
/// to its rate limits and sends its message.
@Loop final class LoopBridge {
    /// The result of charging a request and sending its message.
    struct SendResult: Sendable {
        let decisions: [RateDecision]
        /// The outcome of the message; `nil` if no message was sent because a rate limit refused the request, or if the
        /// reply was refused.
        let outcome: RequestOutcome?
        /// The problem if the reply was discarded, because the budget for responses is exhausted.
        var refusal: Problem?
        /// The bytes that are reserved for a large reply; `nil` if the reply is small or there is none.
        var reservation: ByteReservation?
    }

    /// The state of the connections, for the readiness probe.
    struct Health: Sendable, Hashable {
        /// Whether requests can be published and replies can be received.
        let isBrokerUp: Bool
        let isRedisUp: Bool
    }

    private let limiter: RateLimiter
    private var ceilings = LocalRateLimiter()
    private let start = ContinuousClock.now
    private let requester: Requester
    private let publisher: Publisher
    private let consumer: Consumer
    private let redis: RedisClient
    private let responseBudget: ByteBudget

    init(
        requester: Requester, publisher: Publisher, consumer: Consumer, redis: RedisClient, responseBudget: ByteBudget
    ) {
        self.responseBudget = responseBudget
        limiter = RateLimiter(redis: redis)
        self.requester = requester
        self.publisher = publisher
        self.consumer = consumer
        self.redis = redis
    }

    /// Charges a request to its rate limits. If they allow the request, sends its message and waits for the outcome. A
    /// large reply counts against the shares that the request's clients have of the budget for responses.
    nonisolated func send(_ handoff: RequestHandoff, charges: RequestCharges) async -> SendResult {
        await withCheckedContinuation { continuation in
            Loop.perform {
                self.decide(charges) { decisions in
                    guard decisions.areAllowed else {
                        return continuation.resume(returning: SendResult(decisions: decisions, outcome: nil))
                    }
                    let request = handoff.takeRequest()
                    let isCommand = request.type.kind == .command
                    self.send(request) { outcome in
                        var result = SendResult(decisions: decisions, outcome: outcome)
                        // The reply to a command is not counted. It is small, and it must not be lost.
                        if case .reply(let reply) = outcome, !isCommand, reply.body.count > ByteBudget.smallResponse {
                            result = self.reserved(reply, decisions, request.clients)
                        }
                        continuation.resume(returning: result)
                    }
                    handoff.releaseReservation()
                }
            }
        }
    }

    /// Reserves the bytes of a large reply at once when it arrives, so that the replies of clients that do not read
    /// their responses cannot fill the memory.
    private func reserved(
        _ reply: Reply, _ decisions: [RateDecision], _ clients: [ClientKey]
    ) -> SendResult {
        let reservation = ByteReservation(in: responseBudget, for: clients)
        do throws(Problem) {
            try reservation.reserve(reply.body.count)
        } catch {
            return SendResult(decisions: decisions, outcome: nil, refusal: error)
        }
        return SendResult(decisions: decisions, outcome: .reply(reply), reservation: reservation)
    }

    /// Charges an upload to its rate limits before its body is read.
    ///
    /// - Parameter length: the announced length of the body, in bytes.
    /// - Returns: the decisions, and whether the upload would exceed the share that its clients have of the queue.
    nonisolated func chargeUpload(
        _ charges: RequestCharges, _ type: MessageDescriptor, of clients: [ClientKey], length: Int
    ) async -> (decisions: [RateDecision], exceedsShare: Bool) {
        await withCheckedContinuation { continuation in
            charge(charges) { decisions in
                let exceeds = self.requester.exceedsShare(type, of: clients, bytes: length)
                continuation.resume(returning: (decisions, exceeds))
            }
        }
    }

    /// Charges a request to its rate limits without sending a message.
    nonisolated func charge(_ charges: RequestCharges) async -> [RateDecision] {
        guard !charges.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            charge(charges) { continuation.resume(returning: $0) }
        }
    }

    /// Charges a request to its rate limits without sending a message.
    ///
    /// - Parameter decided: called once, on the loop, with the decision of each limit.
    nonisolated func charge(_ charges: RequestCharges, decided: @escaping @Loop @Sendable ([RateDecision]) -> Void) {
        Loop.perform { self.decide(charges, decided: decided) }
    }

    /// Returns the state of the connections. May be called on any thread.
    nonisolated func health() async -> Health {
        await withCheckedContinuation { continuation in
            Loop.perform { continuation.resume(returning: self.currentHealth) }
        }
    }

    /// The number of requests that wait for a reply.
    var pendingRequests: Int { requester.pendingCount }

    /// The state of the connections now.
    var currentHealth: Health {
        Health(
            isBrokerUp: publisher.availability == .available && consumer.state == .consuming,
            isRedisUp: redis.isConnected)
    }

    /// Charges a request to its ceiling first, because this needs no call of Redis.
    private func decide(_ charges: RequestCharges, decided: @escaping @Loop ([RateDecision]) -> Void) {
        if let ceiling = charges.ceiling {
            let decisions = ceilings.charge([ceiling], at: Int64((ContinuousClock.now - start) / .microseconds(1)))
            guard decisions.areAllowed else { return decided(decisions) }
        }
        limiter.charge(charges.shared, decided: decided)
    }

    private func send(_ request: OutgoingRequest, completed: @escaping Requester.Completion) {
        // Without a consumer no reply could arrive, so the message is not sent.
        guard consumer.state == .consuming else { return completed(.unavailable("replies cannot be received")) }
        requester.send(request, completed: completed)
    }
}

/// A request that an HTTP thread passes to the loop, with the reservation for its body.
///
/// The reservation is released as soon as the message is passed to the broker connection, because the wait for the
/// reply can take much longer.
final class RequestHandoff: Sendable {
    private let request: Mutex<OutgoingRequest>
    private let reservation: ByteReservation?

    init(_ request: OutgoingRequest, reservation: ByteReservation?) {
        self.request = Mutex(request)
        self.reservation = reservation
    }

    /// Returns the request with its body. This object keeps the request without the body, so that the body can be freed
    /// as soon as it is sent.
    func takeRequest() -> OutgoingRequest {
        request.withLock { request in
            defer { request.body = [] }
            return request
        }
    }

    /// Releases the bytes that were reserved for the body.
    func releaseReservation() {
        reservation?.release()
    }
}
