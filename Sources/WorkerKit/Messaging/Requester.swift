package import AMQP
package import Contracts
internal import FoundationEssentials
internal import Logging
package import Reactor

/// Sends requests through the broker and matches their replies by correlation id.
///
/// A reply counts only if the service that was asked has sent it, which the broker verifies by the property `user_id`,
/// and if its `type` is that of a reply to this request. Correlation ids have a random part, so no other user can guess
/// them.
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
    private var inFlight: [UInt64: InFlight] = [:]

    /// What a reply must agree with, and the timer of the deadline.
    private struct InFlight {
        let timer: LoopTimer
        let type: MessageDescriptor
        /// The random part of the correlation id.
        let nonce: UInt64
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
    ///   - replyPrincipal: returns the broker user from which replies to a message type are accepted; by default, the
    ///     user that has the name of the type's service.
    package init(
        publisher: Publisher, principal: String, limit: Int, replyQueue: String? = nil,
        replyPrincipal: @escaping @Sendable (MessageDescriptor) -> String = { $0.service.rawValue }
    ) {
        self.publisher = publisher
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

    /// The number of requests in flight.
    package var pendingCount: Int { pending.count }

    /// Whether requests can be published now.
    package var isAvailable: Bool { publisher.availability == .available }

    /// Sends a request.
    ///
    /// - Parameter completed: called once with the outcome, at the request's deadline at the latest. It can be called
    ///   before this function returns.
    package func send(_ request: OutgoingRequest, completed: @escaping Completion) {
        guard let id = pending.register(awaited(by: request), completed) else {
            return completed(.unavailable("too many requests are in flight"))
        }
        let nonce = UInt64.random(in: 0...UInt64.max)
        let timer = Loop.schedule(after: request.timeout) { self.expire(id) }
        inFlight[id] = InFlight(timer: timer, type: request.type, nonce: nonce)
        let message = request.makeMessage(
            correlationID: "\(correlation)\(String(id, radix: 36)).\(String(nonce, radix: 36))", replyTo: replyKey,
            principal: principal)
        do {
            try publisher.publish(message) { result in self.settle(id, result) }
        } catch {
            settle(id, .failure(error))
        }
    }

    /// Sends a request and waits for its outcome.
    package func send(_ request: OutgoingRequest) async -> RequestOutcome {
        await withCheckedContinuation { continuation in
            send(request) { continuation.resume(returning: $0) }
        }
    }

    /// Ends every request in flight as if its deadline had passed.
    package func abandon() {
        for id in Array(inFlight.keys) { expire(id) }
    }

    private func awaited(by request: OutgoingRequest) -> PendingRequests<Completion>.Awaited {
        guard request.type.kind == .command else { return .reply }
        return request.awaitsReply ? .commandReply : .confirm
    }

    private func settle(_ id: UInt64, _ result: Result<Void, PublishError>) {
        switch result {
        case .success:
            if let (completed, outcome) = pending.confirm(id) { end(id, completed, outcome) }
        case .failure(let error) where error.code == .outcomeUnknown:
            if let (completed, outcome) = pending.publishOutcomeUnknown(id) { end(id, completed, outcome) }
        case .failure(let error):
            if let completed = pending.answer(id) { end(id, completed, .unavailable("\(error)")) }
        }
    }

    private func receive(_ delivery: Delivery) {
        guard let text = delivery.properties.correlationID, text.hasPrefix(correlation) else { return }
        let parts = text.dropFirst(correlation.count).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let id = UInt64(parts[0], radix: 36), let nonce = UInt64(parts[1], radix: 36),
            let request = inFlight[id], request.nonce == nonce,
            delivery.properties.userID == replyPrincipal(request.type),
            delivery.properties.type == request.type.replyName, let reply = ReplyMessage.read(delivery),
            let completed = pending.answer(id)
        else { return }
        end(id, completed, .reply(reply))
    }

    private func expire(_ id: UInt64) {
        guard let (completed, outcome) = pending.expire(id) else { return }
        end(id, completed, outcome)
    }

    private func end(_ id: UInt64, _ completed: Completion, _ outcome: RequestOutcome) {
        inFlight.removeValue(forKey: id)?.timer.cancel()
        completed(outcome)
    }
}
