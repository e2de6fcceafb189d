internal import AMQP
internal import Contracts
internal import Reactor
internal import Redis
internal import WorkerKit

/// Gives the HTTP threads access to the broker and Redis, whose connections run on the event loop of the process.
///
/// Each call changes threads twice, to the loop and back. Therefore ``send(_:charges:reservation:completed:)`` both
/// charges a request to its rate limits and sends its message.
@Loop final class LoopBridge {
    /// The result of charging a request and sending its message.
    struct SendResult: Sendable {
        /// The request without its body.
        let request: OutgoingRequest
        let decisions: [RateDecision]
        /// The outcome of the message; `nil` if no message was sent because a rate limit refused the request, or if the
        /// reply was refused.
        var outcome: RequestOutcome?
        /// The problem if the reply was discarded, because the budget for responses is exhausted.
        var refusal: Problem?
        /// The bytes that are reserved for a large reply; `nil` if the reply is small or there is none.
        var reservation: ByteReservation?
    }

    /// The result of charging an upload before its body is read.
    struct UploadCharge: Sendable {
        let decisions: [RateDecision]
        /// Whether the upload would exceed the share that its clients have of the queue.
        let exceedsShare: Bool
    }

    /// The state of the connections, for the readiness probe.
    struct Health: Sendable, Hashable {
        /// Whether requests can be published and replies can be received.
        let isBrokerUp: Bool
        let isRedisUp: Bool
        /// The queues that do not exist, as far as requests have shown, sorted by name.
        var missingQueues: [String] = []
    }

    private let limiter: RateLimiter
    private let shared: SharedRateLimiter
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
        shared = SharedRateLimiter(redis: redis)
        self.requester = requester
        self.publisher = publisher
        self.consumer = consumer
        self.redis = redis
    }

    /// Charges a request to its rate limits. If they allow the request, sends its message. A large reply counts against
    /// the shares that the request's clients have of the budget for responses.
    ///
    /// - Parameters:
    ///   - reservation: the bytes that are reserved for the body. They are released as soon as the message is passed to
    ///     the broker connection, because the wait for the reply can take much longer.
    ///   - completed: called once, on the loop.
    nonisolated func send(
        _ request: OutgoingRequest, charges: RequestCharges, reservation: ByteReservation?,
        completed: @escaping @Sendable (SendResult) -> Void
    ) {
        Loop.perform {
            self.decide(charges) { decisions in
                var sent = request
                sent.body = []
                var result = SendResult(request: sent, decisions: decisions)
                guard decisions.areAllowed else { return completed(result) }
                self.send(request) { outcome in
                    // The reply to a command is not counted. It is small, and it must not be lost.
                    if case .reply(let reply) = outcome, result.request.type.kind != .command,
                        reply.body.count > ByteBudget.smallResponse
                    {
                        self.reserve(reply, &result)
                    } else {
                        result.outcome = outcome
                    }
                    completed(result)
                }
                reservation?.release()
            }
        }
    }

    /// Reserves the bytes of a large reply at once when it arrives, so that the replies of clients that do not read
    /// their responses cannot fill the memory.
    private func reserve(_ reply: Reply, _ result: inout SendResult) {
        let reservation = ByteReservation(in: responseBudget, for: result.request.clients)
        do throws(Problem) {
            try reservation.reserve(reply.body.count)
            result.outcome = .reply(reply)
            result.reservation = reservation
        } catch {
            result.refusal = error
        }
    }

    /// Charges an upload to its rate limits before its body is read.
    ///
    /// - Parameters:
    ///   - length: the announced length of the body, in bytes.
    ///   - decided: called once, on the loop.
    nonisolated func chargeUpload(
        _ charges: RequestCharges, _ type: MessageDescriptor, of clients: [ClientKey], length: Int,
        decided: @escaping @Sendable (UploadCharge) -> Void
    ) {
        Loop.perform {
            self.decide(charges) { decisions in
                let exceeds = self.requester.exceedsShare(type, of: clients, bytes: length)
                decided(UploadCharge(decisions: decisions, exceedsShare: exceeds))
            }
        }
    }

    /// Charges a request to its rate limits without sending a message.
    ///
    /// - Parameter decided: called once, on any thread, with the decision of each limit.
    nonisolated func charge(_ charges: RequestCharges, decided: @escaping @Sendable ([RateDecision]) -> Void) {
        guard !charges.isEmpty else { return decided([]) }
        Loop.perform { self.decide(charges, decided: decided) }
    }

    /// Charges a request that the ingress serves without sending a message, and reports the state of the connections.
    ///
    /// - Parameter decided: called once, on the loop.
    nonisolated func chargeBuiltIn(
        _ charges: RequestCharges, decided: @escaping @Sendable ((decisions: [RateDecision], health: Health)) -> Void
    ) {
        Loop.perform { self.decide(charges) { decided(($0, self.currentHealth)) } }
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
            isRedisUp: redis.isConnected, missingQueues: requester.missingQueues.sorted())
    }

    /// Charges a request to the limits that this process decides first, because this needs no call of Redis.
    private func decide(_ charges: RequestCharges, decided: @escaping @Loop ([RateDecision]) -> Void) {
        if let ceiling = charges.ceiling {
            let decisions = ceilings.charge([ceiling], at: Int64((ContinuousClock.now - start) / .microseconds(1)))
            guard decisions.areAllowed else { return decided(decisions) }
        }
        let general = charges.general.map { [$0] } ?? []
        guard let credentials = charges.credentials else { return decided(shared.charge(general)) }
        // A login is charged to both limits or to none, and Redis is asked only if the general limit allows the login.
        let preview = shared.decide(general)
        guard preview.areAllowed else { return decided(preview) }
        limiter.charge([credentials]) { decisions in
            decided((decisions.areAllowed ? self.shared.charge(general) : self.shared.decide(general)) + decisions)
        }
    }

    private func send(_ request: OutgoingRequest, completed: @escaping Requester.Completion) {
        // Without a consumer no reply could arrive, so the message is not sent.
        guard consumer.state == .consuming else { return completed(.unavailable("replies cannot be received")) }
        requester.send(request, completed: completed)
    }
}
