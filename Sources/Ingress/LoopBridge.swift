internal import AMQP
internal import Contracts
internal import Reactor
internal import Redis
internal import WorkerKit

/// The loop's side of the ingress: rate limits in Redis, requests to the broker, in one visit.
@Loop final class MessageExchange {
    /// What became of a request on the loop.
    struct Result: Sendable {
        /// What the rate limits said.
        let decisions: [RateDecision]
        /// What became of the message; nothing where a limit refused it.
        let outcome: RequestOutcome?
    }

    /// What a probe wants to know.
    struct Health: Sendable, Hashable {
        /// Whether requests are taken and replies come in.
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

    /// Charges a request to its rate limits and, where they let it go on, sends its message and waits for the end.
    nonisolated func send(_ parcel: RequestParcel, charges: [RateCharge]) async -> Result {
        await withCheckedContinuation { continuation in
            Loop.perform {
                self.limiter.charge(charges) { decisions in
                    guard decisions.areAllowed else {
                        return continuation.resume(returning: Result(decisions: decisions, outcome: nil))
                    }
                    self.send(parcel.open()) { outcome in
                        continuation.resume(returning: Result(decisions: decisions, outcome: outcome))
                    }
                    parcel.sent()
                }
            }
        }
    }

    /// Charges a request to its rate limits alone.
    nonisolated func charge(_ charges: [RateCharge]) async -> [RateDecision] {
        guard !charges.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            charge(charges) { continuation.resume(returning: $0) }
        }
    }

    /// Charges a request to its rate limits alone.
    ///
    /// - Parameter decided: called once, on the loop.
    nonisolated func charge(_ charges: [RateCharge], decided: @escaping @Loop @Sendable ([RateDecision]) -> Void) {
        Loop.perform { self.limiter.charge(charges, decided: decided) }
    }

    /// Whether the broker and Redis are there.
    nonisolated func health() async -> Health {
        await withCheckedContinuation { continuation in
            Loop.perform { continuation.resume(returning: self.currentHealth) }
        }
    }

    /// Whether the broker and Redis are there now.
    var currentHealth: Health {
        Health(
            isBrokerUp: publisher.availability == .available && consumer.state == .consuming,
            isRedisUp: redis.isConnected)
    }

    private func send(_ request: OutgoingRequest, completed: @escaping Requester.Completion) {
        // A message whose reply cannot come back is better not sent.
        guard consumer.state == .consuming else { return completed(.unavailable("replies cannot come in")) }
        requester.send(request, completed: completed)
    }
}
