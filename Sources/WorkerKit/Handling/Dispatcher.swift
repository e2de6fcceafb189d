internal import AMQP
internal import Contracts
internal import Logging
internal import Postgres
internal import Reactor

/// Handles a delivery from its arrival to its acknowledgement: checks the sender's rights, calls the handler, sends the
/// reply, and after a failure retries or dead-letters the message.
@Loop final class Dispatcher {
    /// How long a reply or a retry waits until the publishing connection is available.
    private static let publisherWait: Duration = .seconds(5)
    /// The number of earlier deliveries after which a message becomes a dead letter. The queues have the same delivery
    /// limit, but they do not count the deliveries before a delay. The broker would dead-letter one delivery later,
    /// without storing the failure.
    private static let deliveryLimit = 20
    /// How much the clock of a sender may differ from this process's clock.
    private static let clockLeeway: Duration = .seconds(60)

    private let handlers: [String: Handler]
    private let principal: String
    private let trusted: Set<String>
    private let environment: HandlerEnvironment
    private let publisher: Publisher
    private let log: Logger
    /// The outages of dependencies, and the messages that wait for their end.
    let outages: Outages
    private let failureLines = LogSampler(limit: 10)
    private var senderClock = SenderClock()
    private var isClosing = false

    /// - Parameters:
    ///   - handlers: one for each message type.
    ///   - principal: the worker's own broker user.
    ///   - trusted: the principals that may send requests on behalf of accounts.
    ///   - holdLimit: how long a message is held while a dependency is not available, before it waits in a delay queue
    ///     instead. It must be well below the broker's `consumer_timeout` (30 min), at which the broker closes the
    ///     channel.
    init(
        handlers: [Handler], principal: String, trusted: Set<String>, pool: PostgresPool, publisher: Publisher,
        relay: OutboxRelay, holdLimit: Duration = .seconds(60), log: Logger
    ) {
        self.handlers = Dictionary(handlers.map { ($0.type, $0) }, uniquingKeysWith: { first, _ in first })
        self.principal = principal
        self.trusted = trusted
        outages = Outages(limit: holdLimit, log: log)
        environment = HandlerEnvironment(
            database: pool, log: log, eventsCommitted: { relay.nudge() },
            transactionCommitted: { [outages] in outages.databaseAnswered() })
        self.publisher = publisher
        self.log = log
    }

    /// Handles a delivery. Returns when the delivery is acknowledged or rejected.
    func handle(_ delivery: Delivery) async {
        var message = IncomingMessage(delivery, trusted: trusted)
        compareClocks(&message)
        let began = ContinuousClock.now
        guard let handler = handlers[message.type], delivery.hasRoute(of: message.type, handler.kind) else {
            let reason =
                "no handler for this message type, or the exchange or the routing key does not match the type, "
                + "or the message has an x-death header"
            return await finish(delivery, message, .unprocessable(reason), began)
        }
        if isPastDeadline(message, handler) {
            log.debug("request dropped after its deadline", metadata: ["type": "\(message.type)"])
            delivery.ack()
            return
        }
        if delivery.totalDeliveryCount >= Self.deliveryLimit {
            return await giveUp(delivery, message, metadata(message, ["reason": "the message was delivered too often"]))
        }
        guard handler.kind.isRetried else {
            return await finish(delivery, message, await carryOut(message, handler), began)
        }
        let result = await outages.carryOut(isOpen: { delivery.isOpen }) { await carryOut(message, handler) }
        switch result {
        case .carriedOut(.failed(let error)): await retry(delivery, message, error)
        case .carriedOut(let result): await finish(delivery, message, result, began)
        case .held(let error): await postpone(delivery, message, error)
        case .givenBack: delivery.reject(requeue: true)
        }
    }

    /// Stops repeating attempts to publish retries, and stops holding messages. From now on, a delivery is requeued if
    /// a dependency is not available, or if it has failed and an attempt to publish its retry fails with a transient
    /// error.
    func close() {
        isClosing = true
        outages.close()
    }

    /// Moves a held message to a delay queue, without counting a failure. Afterwards another worker, which may have the
    /// dependency, can receive it.
    private func postpone(_ delivery: Delivery, _ message: IncomingMessage, _ error: any Error) async {
        guard delivery.isOpen else { return }
        logRepeated(.info, "message is delayed", metadata(message, failure: error, as: "error"))
        let copy = RetryLadder.copy(
            delivery, message, step: .postponed, failures: message.failures, principal: principal)
        await publishRetry(copy, delivery, message)
    }

    // MARK: Suspects

    /// Moves a message that may make workers crash to a delay queue, without counting a failure.
    func delay(_ delivery: Delivery) async {
        let message = IncomingMessage(delivery, trusted: trusted)
        // A message that was not sent as its type requires must not return through `warren.requeue`, where its route
        // cannot be checked again.
        guard let handler = handlers[message.type], handler.kind.isRetried,
            delivery.hasRoute(of: message.type, handler.kind)
        else { return await handle(delivery) }
        let copy = RetryLadder.copy(
            delivery, message, step: .oneSecond, failures: message.failures, principal: principal)
        await publishRetry(copy, delivery, message)
    }

    // MARK: Checks

    /// Whether the sender of a query or a credential has certainly stopped waiting.
    ///
    /// The broker discards a message when its expiration has passed, by a clock of its own. Only a message without an
    /// expiration is judged by its deadline, and the clocks may differ by ``clockLeeway``.
    private func isPastDeadline(_ message: IncomingMessage, _ handler: Handler) -> Bool {
        guard let deadline = message.deadline, message.expiration == nil, !handler.kind.isRetried else { return false }
        return deadline.advanced(by: Self.clockLeeway) < .now()
    }

    /// Compares the sender's clock with this process's clock, and corrects the message's deadline if this clock is
    /// behind.
    private func compareClocks(_ message: inout IncomingMessage) {
        guard let sent = message.sentAt, let sender = message.sender, trusted.contains(sender) else { return }
        if let difference = senderClock.difference(sent: sent, expiration: message.expiration, arrived: .now()) {
            log.warning(
                "this clock differs from a sender's clock",
                metadata: metadata(message, ["by": "\(difference)", "sender": "\(sender)"]))
        }
        message.deadline = message.deadline?.advanced(by: .zero - senderClock.lag)
    }

    private func carryOut(_ message: IncomingMessage, _ handler: Handler) async -> HandlingResult {
        if handler.kind != .event, let problem = problem(of: message, handler) {
            return .reply(message.refusal(problem))
        }
        return await handler.carryOut(message, in: environment)
    }

    /// Checks the sender, the caller and the id of a request.
    ///
    /// - Returns: the problem with which the request is refused; `nil` if the handler may handle it.
    private func problem(of message: IncomingMessage, _ handler: Handler) -> Problem? {
        if message.hasRefusedSubject {
            return Problem(
                .forbidden,
                detail: "The sender may not set the header \(Header.subject), or the header is not an account's id.")
        }
        if message.hasNamelessSubject {
            return Problem(
                .malformedRequest, detail: "The header \(Header.subjectName) must be the username of the account.")
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
            logRepeated(.error, "request failed", metadata(message, failure: error, as: "error"))
            // If the connection broke during the commit, a credential may have been carried out.
            let isUnknown = (error as? PostgresError)?.code == .outcomeUnknown
            await reply(message.refusal(isUnknown ? .outcomeUnknown : Problem(.unavailable)), to: message)
            delivery.ack()
        case .unprocessable(let reason):
            log.error("message cannot be handled", metadata: metadata(message, ["reason": "\(reason)"]))
            await reply(
                message.refusal(Problem(.malformedRequest, detail: "The message cannot be handled.")), to: message)
            if delivery.hasUnexpectedDeathHeader { delivery.ack() } else { delivery.reject(requeue: false) }
        }
    }

    private func reply(_ reply: Reply, to message: IncomingMessage) async {
        guard let key = message.replyTo else { return }
        await waitForPublisher()
        do {
            try publisher.publish(ReplyMessage.make(reply, to: message, key: key, principal: principal))
        } catch {
            // The error is only logged. The sender stops waiting at its deadline. If it sends a command again with the
            // same id, it gets the reply that is stored in the inbox.
            log.warning("reply not published", metadata: metadata(message, failure: error, as: "error"))
        }
    }

    /// Waits for the publishing connection. At the start and after a restart of the broker, the consuming connection
    /// can be open before the publishing connection.
    private func waitForPublisher() async {
        guard publisher.availability != .available else { return }
        _ = await publisher.waitUntilAvailable(within: Self.publisherWait)
    }

    // MARK: Retries

    /// Publishes a failed delivery to the next delay queue of the retry ladder. After the last delay, rejects the
    /// delivery into its dead-letter queue.
    private func retry(_ delivery: Delivery, _ message: IncomingMessage, _ error: any Error) async {
        guard let step = RetryStep.afterFailure(message.failures + 1) else {
            await giveUp(delivery, message, metadata(message, failure: error, as: "reason"))
            return
        }
        logRepeated(
            .warning, "message failed and will be retried",
            metadata(message, failure: error, as: "error", ["delay": "\(step.rawValue)"]))
        let copy = RetryLadder.copy(
            delivery, message, step: step, failures: message.failures + 1, principal: principal)
        await publishRetry(copy, delivery, message)
    }

    /// Publishes the delayed copy of a delivery and acknowledges the delivery.
    ///
    /// The delivery must not be acknowledged before the broker has confirmed the copy. The delivery stays
    /// unacknowledged until the copy is confirmed, the copy proves too large, the worker stops, or the delivery's
    /// connection is lost.
    private func publishRetry(_ copy: OutgoingMessage, _ delivery: Delivery, _ message: IncomingMessage) async {
        while delivery.isOpen {
            await waitForPublisher()
            do throws(PublishError) {
                try await publisher.publishConfirmed(copy)
                delivery.ack()
                return
            } catch {
                guard error.isTransient else {
                    // A later attempt would fail, too.
                    let reason: Logger.Metadata = ["reason": "the retry is too large for the broker"]
                    return await giveUp(delivery, message, metadata(message, reason), isTooLarge: true)
                }
                log.warning("retry not published", metadata: metadata(message, failure: error, as: "error"))
            }
            // The delivery is requeued only when the worker stops, because each requeueing increments the broker's
            // delivery count. If the count exceeds the queue's limit, the broker dead-letters the message.
            guard !isClosing, !Task.isCancelled else { break }
            try? await Loop.sleep(for: .seconds(1))
        }
        delivery.reject(requeue: true)
    }

    /// Rejects a delivery into the dead-letter queue. First stores the failure of a command, so that its receipt
    /// reports it. If the database cannot store it now, the message is postponed, unless it is too large.
    private func giveUp(
        _ delivery: Delivery, _ message: IncomingMessage, _ metadata: Logger.Metadata, isTooLarge: Bool = false
    ) async {
        let refusal = message.refusal(Problem(.commandFailed))
        if let handler = handlers[message.type], handler.kind.usesInbox {
            let stored = await outages.carryOut(isOpen: { delivery.isOpen }) {
                await storeFailure(message, handler, refusal)
            }
            switch stored {
            case .carriedOut(.reply(let earlier)): return await finish(delivery, message, .reply(earlier), .now)
            case .held(let error) where !isTooLarge: return await postpone(delivery, message, error)
            case .carriedOut(.failed(let error)) where !isTooLarge && (error as? any CodedError)?.isTransient == true:
                return await postpone(delivery, message, error)
            case .carriedOut(.failed(let error)), .held(let error):
                logRepeated(
                    .error, "failure of a command not stored", self.metadata(message, failure: error, as: "error"))
            case .givenBack:
                delivery.reject(requeue: true)
                return
            case .carriedOut: break
            }
        }
        log.error("message moved to the dead-letter queue", metadata: metadata)
        await reply(refusal, to: message)
        delivery.reject(requeue: false)
    }

    /// Stores that a command has failed.
    ///
    /// - Returns: the result of an earlier delivery if there was one; otherwise ``HandlingResult/applied``, or the
    ///   error of the database.
    private func storeFailure(
        _ message: IncomingMessage, _ handler: Handler, _ refusal: Reply
    ) async -> HandlingResult {
        do throws(PostgresError) {
            let earlier = try await Inbox.lookUp(message, in: environment.database)
            if let result = await handler.answer(earlier, message) { return result }
            try await FailedCommands.store(refusal, of: message, in: environment.database)
            return .applied
        } catch {
            return .failed(error)
        }
    }

    // MARK: Log lines

    private func logHandled(_ message: IncomingMessage, _ began: ContinuousClock.Instant, status: Int?) {
        log.info(
            "handled",
            metadata: metadata(
                message, ["status": .stringConvertible(status ?? 0), "ms": "\(milliseconds(since: began))"]))
    }

    /// Logs a line about a failure that many messages can have for the same reason. At most ten such lines a second are
    /// written. The line after a gap has the number of omitted lines.
    private func logRepeated(_ level: Logger.Level, _ text: Logger.Message, _ metadata: Logger.Metadata) {
        guard let omitted = failureLines.admit() else { return }
        log.log(
            level: level, text, metadata: omitted == 0 ? metadata : metadata.merging(["omitted": "\(omitted)"]) { $1 })
    }

    private func metadata(_ message: IncomingMessage, _ more: Logger.Metadata = [:]) -> Logger.Metadata {
        var metadata = more
        metadata["type"] = "\(message.type)"
        metadata["queue"] = "\(message.queue)"
        metadata["request-id"] = "\(message.requestID)"
        return metadata
    }

    /// Returns the metadata of a failure. The key `at` has the place in Warren's source code at which the error was
    /// made, if the error contains the place.
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
