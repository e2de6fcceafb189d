internal import AMQP
internal import Contracts
internal import Reactor
internal import Redis
internal import Synchronization
internal import WorkerKit

/// Lets the HTTP threads use the broker and Redis, which live on the event loop of the process.
///
/// Each call costs one visit to the loop: a request is charged to its rate limits and sent in the same visit.
@Loop final class LoopBridge {
    /// The end of a request that was charged and perhaps sent.
    struct SendResult: Sendable {
        let decisions: [RateDecision]
        /// The outcome of the message; `nil` if a rate limit refused the request, so that it was not sent.
        let outcome: RequestOutcome?
    }

    /// The state of the connections, for the readiness probe.
    struct Health: Sendable, Hashable {
        /// Whether the broker accepts requests and replies can arrive.
        let isBrokerUp: Bool
        let isRedisUp: Bool
    }

    private let limiter: RateLimiter
    private let requester: Requester
    private let publisher: Publisher
    private let consumer: Consumer
    private let redis: RedisClient

    init(requester: Requester, publisher: Publisher, consumer: Consumer, redis: RedisClient) {
        limiter = RateLimiter(redis: redis)
        self.requester = requester
        self.publisher = publisher
        self.consumer = consumer
        self.redis = redis
    }

    /// Charges a request to its rate limits; if they allow it, sends its message and waits for the outcome.
    nonisolated func send(_ handoff: RequestHandoff, charges: [RateCharge]) async -> SendResult {
        await withCheckedContinuation { continuation in
            Loop.perform {
                self.limiter.charge(charges) { decisions in
                    guard decisions.areAllowed else {
                        return continuation.resume(returning: SendResult(decisions: decisions, outcome: nil))
                    }
                    self.send(handoff.takeRequest()) { outcome in
                        continuation.resume(returning: SendResult(decisions: decisions, outcome: outcome))
                    }
                    handoff.releaseReservation()
                }
            }
        }
    }

    /// Charges a request to its rate limits without sending a message.
    nonisolated func charge(_ charges: [RateCharge]) async -> [RateDecision] {
        guard !charges.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            charge(charges) { continuation.resume(returning: $0) }
        }
    }

    /// Charges a request to its rate limits without sending a message.
    ///
    /// - Parameter decided: called once, on the loop.
    nonisolated func charge(_ charges: [RateCharge], decided: @escaping @Loop @Sendable ([RateDecision]) -> Void) {
        Loop.perform { self.limiter.charge(charges, decided: decided) }
    }

    /// Reads the state of the connections from another thread.
    nonisolated func health() async -> Health {
        await withCheckedContinuation { continuation in
            Loop.perform { continuation.resume(returning: self.currentHealth) }
        }
    }

    /// The state of the connections now.
    var currentHealth: Health {
        Health(
            isBrokerUp: publisher.availability == .available && consumer.state == .consuming,
            isRedisUp: redis.isConnected)
    }

    private func send(_ request: OutgoingRequest, completed: @escaping Requester.Completion) {
        // Without a consumer the reply could not arrive, so the request is refused before it is sent.
        guard consumer.state == .consuming else { return completed(.unavailable("replies cannot be received")) }
        requester.send(request, completed: completed)
    }
}

/// A request on its way to the loop, with the reservation for its body.
///
/// The body is released as soon as the broker connection has it, although the sender may wait for the reply much
/// longer.
final class RequestHandoff: Sendable {
    private let request: Mutex<OutgoingRequest>
    private let reservation: BodyReservation?

    init(_ request: OutgoingRequest, reservation: BodyReservation?) {
        self.request = Mutex(request)
        self.reservation = reservation
    }

    /// Returns the request and drops this object's copy of the body, so that the body is returned only once.
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
