package import AMQP
package import Contracts
internal import FoundationEssentials
package import Logging
package import Reactor

/// Sends requests through the broker and matches their replies by correlation id.
///
/// A reply counts only if the service that was asked has sent it, which the broker verifies by the property `user_id`,
/// and if its `type` is that of a reply to this request. Correlation ids have a random part, so no other user can guess
/// them.
///
/// A request with ``OutgoingRequest/clients`` counts against their shares of its queue: a command until its reply
/// arrives, even after the deadline, and any other request until its deadline at the latest.
@Loop package final class Requester {
    /// Called once, on the loop, with the outcome of a request.
    package typealias Completion = @Loop (RequestOutcome) -> Void

    private let publisher: Publisher
    private let principal: String
    private let replyKey: String
    /// The existing queue for the replies; `nil` if the consuming connection declares a queue.
    private let replyQueue: String?
    /// The prefix of this requester's correlation ids. An existing queue can contain replies to an earlier requester.
    /// Their correlation ids have another prefix.
    private let correlation: String
    private let replyPrincipal: @Sendable (MessageDescriptor) -> String
    private var pending: PendingRequests<Completion>
    private var published: [UInt64: Published] = [:]
    private var shares = QueueShares()
    /// The queues that did not exist when a request was last published to them.
    package private(set) var missingQueues: Set<String> = []
    /// The highest id of a request that was answered, for each queue.
    private var latestAnswered: [String: UInt64] = [:]
    private let claimCheckInterval: Duration
    private let log: Logger
    private let invalidReplies = LogSampler(limit: 1)

    /// The number of checks after which a command without a reply no longer counts against the share of its client.
    private static let claimChecks = 10

    /// A request that may still be in its queue, and the properties that a reply must have.
    private struct Published {
        /// The timer of the deadline, and after the deadline of a command, the timer of the next check of its claim.
        var timer: LoopTimer
        /// The message type.
        let type: String
        /// The queue of the message type.
        let queue: String
        let isCommand: Bool
        /// The broker user that must have sent the reply.
        let replyPrincipal: String
        /// The random part of the correlation id.
        let nonce: UInt64
        /// `nil` if the request does not count against the share of a client.
        let claim: QueueShares.Claim?
    }

    /// Makes a requester.
    ///
    /// - Parameters:
    ///   - publisher: the connection that publishes.
    ///   - principal: the broker user that the publisher connects as.
    ///   - limit: the maximum number of requests in flight. Further requests end as unavailable.
    ///   - replyQueue: the name of an existing queue for the replies, for a principal that may not declare queues. The
    ///     queue must be bound to `warren.replies` with its own name as the key. Only one requester can use the queue
    ///     at a time.
    ///   - claimCheckInterval: how often to check whether a command that got no reply can still be in its queue. The
    ///     default is longer than all delays of the retry ladder together.
    ///   - log: gets a warning about invalid replies, at most once a second.
    ///   - replyPrincipal: returns the broker user from which replies to a message type are accepted; by default, the
    ///     user that has the name of the type's service.
    package init(
        publisher: Publisher, principal: String, limit: Int, replyQueue: String? = nil,
        claimCheckInterval: Duration = .seconds(360), log: Logger,
        replyPrincipal: @escaping @Sendable (MessageDescriptor) -> String = { $0.service.rawValue }
    ) {
        self.publisher = publisher
        self.claimCheckInterval = claimCheckInterval
        self.log = log
        self.replyPrincipal = replyPrincipal
        self.principal = principal
        self.replyQueue = replyQueue
        replyKey = replyQueue ?? UUID.v7().text
        correlation = replyQueue == nil ? "" : UUID.v7().text + "."
        pending = PendingRequests(limit: limit)
    }

    /// The subscription that receives the replies, for the consuming connection.
    package var subscription: Subscription {
        guard let replyQueue else {
            return .replies(exchange: Exchange.replies, key: replyKey) { [weak self] in self?.receive($0) }
        }
        return .queue(replyQueue, prefetch: 64, isExclusive: true) { [weak self] delivery in
            delivery.ack()
            self?.receive(delivery)
        }
    }

    /// The number of requests in flight, whose outcome is not known yet.
    package var pendingCount: Int { pending.count }

    /// Whether requests can be published now.
    package var isAvailable: Bool { publisher.availability == .available }

    /// Sends a request.
    ///
    /// - Parameter completed: called once with the outcome, at the request's deadline at the latest. It can be called
    ///   before this function returns.
    package func send(_ request: OutgoingRequest, completed: @escaping Completion) {
        var claim: QueueShares.Claim?
        if !request.clients.isEmpty {
            claim = shares.claim(request.type.queue, for: request.clients, bytes: request.body.count)
            guard claim != nil else { return completed(.shareExceeded) }
        }
        guard let id = pending.register(awaited(by: request), completed) else {
            if let claim { shares.release(claim) }
            return completed(.unavailable("too many requests are in flight"))
        }
        let nonce = RandomPool.shared.next()
        let timer = Loop.schedule(after: request.timeout) { self.expire(id) }
        published[id] = Published(
            timer: timer, type: request.type.name, queue: request.type.queue, isCommand: request.type.kind == .command,
            replyPrincipal: replyPrincipal(request.type), nonce: nonce, claim: claim)
        let message = request.makeMessage(
            correlationID: "\(correlation)\(String(id, radix: 36)).\(String(nonce, radix: 36))", replyTo: replyKey,
            principal: principal)
        do {
            try publisher.publish(message) { result in self.settle(id, result) }
        } catch {
            settle(id, .failure(error))
        }
    }

    /// Whether a request would exceed the share of one of its clients now.
    ///
    /// - Parameter bytes: the size of the body, which need not have arrived yet.
    package func exceedsShare(_ type: MessageDescriptor, of clients: [ClientKey], bytes: Int) -> Bool {
        shares.isExceeded(type.queue, by: clients, bytes: bytes)
    }

    /// Sends a request and waits for its outcome.
    package func send(_ request: OutgoingRequest) async -> RequestOutcome {
        await withCheckedContinuation { continuation in
            send(request) { continuation.resume(returning: $0) }
        }
    }

    /// Ends every request in flight as if its deadline had passed.
    package func abandon() {
        for id in Array(published.keys) { expire(id) }
    }

    private func awaited(by request: OutgoingRequest) -> PendingRequests<Completion>.Awaited {
        switch request.type.kind {
        case .command: request.awaitsReply ? .commandReply : .confirm
        case .credential: .credentialReply
        case .query: .reply
        }
    }

    private func settle(_ id: UInt64, _ result: Result<Void, PublishError>) {
        switch result {
        case .success:
            if let request = published[id] { foundQueue(request.queue) }
            if let end = pending.confirm(id) { complete(id, end) }
        case .failure(let error) where error.code == .outcomeUnknown:
            if let end = pending.publishOutcomeUnknown(id) { complete(id, end) }
        case .failure(let error):
            if error.code == .returned, let request = published[id],
                missingQueues.insert(request.queue).inserted
            {
                log.error("a queue is missing", metadata: ["queue": "\(request.queue)", "type": "\(request.type)"])
            }
            remove(id)
            if let completed = pending.remove(id) { completed(.unavailable("\(error)")) }
        }
    }

    private func foundQueue(_ queue: String) {
        guard !missingQueues.isEmpty, missingQueues.remove(queue) != nil else { return }
        log.notice("the queue exists again", metadata: ["queue": "\(queue)"])
    }

    private func receive(_ delivery: Delivery) {
        guard let text = delivery.properties.correlationID, text.hasPrefix(correlation) else { return }
        let parts = text.dropFirst(correlation.count).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let id = UInt64(parts[0], radix: 36), let nonce = UInt64(parts[1], radix: 36),
            let request = published[id], request.nonce == nonce
        else { return }
        guard delivery.properties.userID == request.replyPrincipal,
            delivery.properties.type == MessageDescriptor.replyName(of: request.type),
            let reply = ReplyMessage.read(delivery)
        else { return logInvalidReply(delivery, to: request) }
        foundQueue(request.queue)
        if let claim = request.claim { latestAnswered[claim.queue] = max(id, latestAnswered[claim.queue] ?? 0) }
        remove(id)
        if let (completed, outcome) = pending.answer(id, reply) { completed(outcome) }
    }

    private func logInvalidReply(_ delivery: Delivery, to request: Published) {
        guard let omitted = invalidReplies.admit() else { return }
        log.warning(
            "invalid reply ignored",
            metadata: [
                "expected-user": "\(request.replyPrincipal)", "user": "\(delivery.properties.userID ?? "")",
                "expected-type": "\(MessageDescriptor.replyName(of: request.type))",
                "type": "\(delivery.properties.type ?? "")", "omitted": "\(omitted)",
            ])
    }

    private func expire(_ id: UInt64) {
        if let end = pending.expire(id) { complete(id, end) }
    }

    /// Completes a request that got no reply. A command may still be in its queue, so its claim is kept.
    private func complete(_ id: UInt64, _ end: PendingRequests<Completion>.End) {
        if let request = published[id], request.isCommand, let claim = request.claim {
            request.timer.cancel()
            scheduleClaimCheck(id, claim.queue, remaining: Self.claimChecks)
        } else {
            remove(id)
        }
        end.completion(end.outcome)
    }

    /// Checks later whether a command without a reply can still be in its queue, and removes it if not. The broker
    /// delivers a queue in order, so a command has left its queue if a later one was answered: its reply was lost. A
    /// command is removed by the last check in any case.
    private func scheduleClaimCheck(_ id: UInt64, _ queue: String, remaining: Int) {
        published[id]?.timer = Loop.schedule(after: claimCheckInterval) { [weak self] in
            guard let self else { return }
            if remaining == 1 || id < self.latestAnswered[queue] ?? 0 {
                self.remove(id)
            } else {
                self.scheduleClaimCheck(id, queue, remaining: remaining - 1)
            }
        }
    }

    private func remove(_ id: UInt64) {
        guard let request = published.removeValue(forKey: id) else { return }
        request.timer.cancel()
        if let claim = request.claim { shares.release(claim) }
    }
}
