internal import AMQP
internal import Contracts
internal import Logging
internal import Postgres
internal import Reactor

/// Carries a delivery from its arrival to its acknowledgement: trust, decoding, handling, commit, reply, and the
/// retry or dead letter after a failure.
@Loop final class Dispatcher {
    /// How long a reply or a retry waits for the publishing connection.
    private static let publisherLimit: Duration = .seconds(5)

    private let handlers: [String: Handler]
    private let principal: String
    private let trusted: Set<String>
    private let environment: HandlerEnvironment
    private let publisher: Publisher
    private let log: Logger
    private var isClosing = false

    /// - Parameters:
    ///   - handlers: one for each message type.
    ///   - principal: the worker's own broker user.
    ///   - trusted: the principals that may speak for accounts.
    init(
        handlers: [Handler], principal: String, trusted: Set<String>, pool: PostgresPool, publisher: Publisher,
        relay: OutboxRelay, log: Logger
    ) {
        self.handlers = Dictionary(handlers.map { ($0.type, $0) }, uniquingKeysWith: { first, _ in first })
        self.principal = principal
        self.trusted = trusted
        environment = HandlerEnvironment(database: pool, log: log) { relay.nudge() }
        self.publisher = publisher
        self.log = log
    }

    /// Handles a delivery and returns when it is acknowledged or rejected.
    func handle(_ delivery: Delivery) async {
        let message = IncomingMessage(delivery, trusted: trusted)
        let began = ContinuousClock.now
        guard let handler = handlers[message.type], isAuthorizedRoute(delivery, message, handler) else {
            return await finish(delivery, message, .unprocessable("no handler here for this type"), began)
        }
        if isPastDeadline(message, handler) {
            log.debug("request expired", metadata: ["type": "\(message.type)"])
            delivery.ack()
            return
        }
        let result = await carryOut(message, handler)
        if case .failed(let error) = result, handler.kind.isRetried {
            await retry(delivery, message, error)
        } else {
            await finish(delivery, message, result, began)
        }
    }

    /// Stops retries from being awaited: a failed delivery that cannot be published goes back to its queue.
    func close() {
        isClosing = true
    }

    // MARK: Checks

    /// Whether the sender was allowed to send this type.
    ///
    /// The broker checks the sender's right to an exchange and a routing key, but the message's type selects the
    /// handler, so the three must agree. A user that may declare exchanges or queues can evade the broker's check in
    /// two ways: with an exchange of its own bound to `warren.commands`, whose name then stands in the delivery, and
    /// with a queue that dead-letters into `warren.commands`, which leaves an `x-death` header.
    private func isAuthorizedRoute(_ delivery: Delivery, _ message: IncomingMessage, _ handler: Handler) -> Bool {
        if delivery.exchange == Exchange.requeue { return true }
        return delivery.exchange == (handler.kind == .event ? Exchange.events : Exchange.commands)
            && delivery.routingKey == message.type && !hasForeignDeath(delivery)
    }

    /// Whether a delivery that no worker sent back has an `x-death` header. Such a delivery must not be dead-lettered:
    /// RabbitMQ 3.10 stops dead-lettering for the whole queue at a header that it did not write itself.
    private func hasForeignDeath(_ delivery: Delivery) -> Bool {
        delivery.exchange != Exchange.requeue && delivery.properties.headers["x-death"] != nil
    }

    private func isPastDeadline(_ message: IncomingMessage, _ handler: Handler) -> Bool {
        guard let deadline = message.deadline, !handler.kind.isRetried else { return false }
        return deadline < .now()
    }

    private func carryOut(_ message: IncomingMessage, _ handler: Handler) async -> HandlingResult {
        if handler.kind != .event, let problem = problem(of: message, handler) {
            return .reply(message.refusal(problem))
        }
        return await handler.carryOut(message, in: environment)
    }

    /// Returns the problem of a request that its handler must not see.
    private func problem(of message: IncomingMessage, _ handler: Handler) -> Problem? {
        if message.claimsForeignSubject {
            return Problem(.forbidden, detail: "The sender may not speak for an account.")
        }
        if message.hasNamelessSubject {
            return Problem(
                .malformedRequest, detail: "The header \(Header.subjectName) must be the account's username.")
        }
        if handler.needsCaller, message.caller == nil,
            !handler.principalsWithoutCaller.contains(message.sender ?? "")
        {
            return Problem(.unauthenticated)
        }
        if handler.kind.usesInbox, message.id == nil {
            // Without an id a redelivery cannot be recognized.
            return Problem(.malformedRequest, detail: "A command's message_id must be a UUID.")
        }
        return nil
    }

    // MARK: Replies and acknowledgements

    private func finish(
        _ delivery: Delivery, _ message: IncomingMessage, _ result: HandlingResult, _ began: ContinuousClock.Instant
    ) async {
        switch result {
        case .reply(let answer):
            await reply(answer, to: message)
            delivery.ack()
            logHandled(message, began, status: answer.status)
        case .applied:
            delivery.ack()
            logHandled(message, began, status: nil)
        case .failed(let error):
            log.error("failed", metadata: metadata(message, failure: error, as: "error"))
            await reply(message.refusal(Problem(.unavailable)), to: message)
            delivery.ack()
        case .unprocessable(let reason):
            log.error("given up", metadata: metadata(message, ["reason": "\(reason)"]))
            await reply(
                message.refusal(Problem(.malformedRequest, detail: "The message cannot be handled.")), to: message)
            if hasForeignDeath(delivery) { delivery.ack() } else { delivery.reject(requeue: false) }
        }
    }

    private func reply(_ reply: Reply, to message: IncomingMessage) async {
        guard let key = message.replyTo else { return }
        await waitForPublisher()
        do {
            try publisher.publish(ReplyMessage.make(reply, to: message, key: key, principal: principal))
        } catch {
            // The sender has its deadline, and a command's reply is stored in the inbox.
            log.warning("reply not published", metadata: metadata(message, failure: error, as: "error"))
        }
    }

    /// Waits for a publishing connection that is being made: at the start and after a restart of the broker the
    /// consuming connection can be the first.
    private func waitForPublisher() async {
        guard publisher.availability != .available else { return }
        _ = await publisher.waitUntilAvailable(within: Self.publisherLimit)
    }

    // MARK: Retries

    /// Sends a failed delivery up the retry ladder. After the last step, rejects it into the dead-letter queue.
    private func retry(_ delivery: Delivery, _ message: IncomingMessage, _ error: any Error) async {
        guard let step = RetryStep.afterFailure(message.attempt + 1) else {
            await giveUp(delivery, message, metadata(message, failure: error, as: "reason"))
            return
        }
        log.warning(
            "failed, will be retried",
            metadata: metadata(message, failure: error, as: "error", ["delay": "\(step.rawValue)"]))
        await publishRetry(RetryLadder.retry(delivery, message, step: step, principal: principal), delivery, message)
    }

    /// Publishes the delayed copy of a delivery and acknowledges the delivery.
    ///
    /// The delivery must not be acknowledged without a confirmed copy, so it is held until the broker has the copy, the
    /// worker stops, or the delivery's connection is lost.
    private func publishRetry(_ copy: OutgoingMessage, _ delivery: Delivery, _ message: IncomingMessage) async {
        while delivery.isOpen {
            await waitForPublisher()
            do throws(PublishError) {
                try await publisher.publishConfirmed(copy)
                delivery.ack()
                return
            } catch {
                guard error.code != .tooLarge else {
                    // No later attempt can succeed.
                    return await giveUp(delivery, message, metadata(message, ["reason": "its copy is too large"]))
                }
                log.warning("retry not published", metadata: metadata(message, failure: error, as: "error"))
            }
            // Requeueing increments the broker's delivery count, so only a worker that stops does it.
            guard !isClosing, !Task.isCancelled else { break }
            try? await Loop.sleep(for: .seconds(1))
        }
        delivery.reject(requeue: true)
    }

    /// Rejects a delivery into the dead-letter queue.
    private func giveUp(_ delivery: Delivery, _ message: IncomingMessage, _ metadata: Logger.Metadata) async {
        log.error("given up", metadata: metadata)
        await reply(message.refusal(Problem(.internal)), to: message)
        delivery.reject(requeue: false)
    }

    // MARK: Log lines

    private func logHandled(_ message: IncomingMessage, _ began: ContinuousClock.Instant, status: Int?) {
        log.info(
            "handled",
            metadata: metadata(
                message, ["status": .stringConvertible(status ?? 0), "ms": "\(milliseconds(since: began))"]))
    }

    private func metadata(_ message: IncomingMessage, _ more: Logger.Metadata = [:]) -> Logger.Metadata {
        var metadata = more
        metadata["type"] = "\(message.type)"
        metadata["queue"] = "\(message.queue)"
        metadata["request-id"] = "\(message.requestID)"
        return metadata
    }

    /// Describes a failure; `at` is the place in Warren's source that made the error, if the error knows it.
    private func metadata(
        _ message: IncomingMessage, failure: any Error, as key: String, _ more: Logger.Metadata = [:]
    ) -> Logger.Metadata {
        var metadata = metadata(message, more)
        metadata[key] = "\(failure)"
        if let error = failure as? any CodedError { metadata["at"] = "\(error.location)" }
        return metadata
    }

    private func milliseconds(since began: ContinuousClock.Instant) -> Double {
        let (seconds, attoseconds) = (ContinuousClock.now - began).components
        return (Double(seconds) * 1e6 + (Double(attoseconds) / 1e12).rounded()) / 1000
    }
}
