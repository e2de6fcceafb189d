internal import AMQP
internal import Contracts
internal import Logging
internal import Postgres
internal import Reactor

/// Carries one delivery through: trust, decoding, handling, commit, reply, acknowledgement, or what follows a failure.
@Loop final class Dispatcher {
    /// How long a reply, or a message to be retried, waits for the publishing connection.
    private static let patience: Duration = .seconds(5)

    private let handlers: [String: Handler]
    private let principal: String
    private let trusted: Set<String>
    private let pool: PostgresPool
    private let publisher: Publisher
    private let relay: OutboxRelay
    private let log: Logger
    private var isClosing = false

    init(
        handlers: [Handler], principal: String, trusted: Set<String>, pool: PostgresPool, publisher: Publisher,
        relay: OutboxRelay, log: Logger
    ) {
        self.handlers = Dictionary(handlers.map { ($0.type, $0) }, uniquingKeysWith: { first, _ in first })
        self.principal = principal
        self.trusted = trusted
        self.pool = pool
        self.publisher = publisher
        self.relay = relay
        self.log = log
    }

    func handle(_ delivery: Delivery) async {
        let message = IncomingMessage(delivery, trusted: trusted)
        let began = ContinuousClock.now
        guard let handler = handlers[message.type], isRoutedHonestly(message, delivery, handler) else {
            return await end(delivery, message, nil, .impossible("no handler here for this type"), began)
        }
        if isStale(message, handler) {
            log.debug("dropped after its deadline", metadata: ["type": "\(message.type)"])
            delivery.ack()
            return
        }
        let result = await run(handler, message)
        if case .failed(let error) = result, handler.kind.isRetried {
            await retry(delivery, message, handler, error, began)
        } else {
            await end(delivery, message, handler, result, began)
        }
    }

    // MARK: Before

    /// The type decides who handles a message, but the exchange and the routing key are what the broker has checked its
    /// sender for. Who may declare exchanges and queues can lead messages past that check: through an exchange bound to
    /// `warren.commands`, whose name then stands here, or through a queue that dead-letters into it, which `x-death` tells.
    private func isRoutedHonestly(_ message: IncomingMessage, _ delivery: Delivery, _ handler: Handler) -> Bool {
        if delivery.exchange == Exchange.requeue { return true }
        return delivery.exchange == (handler.kind == .event ? Exchange.events : Exchange.commands)
            && delivery.routingKey == message.type && !bearsHistory(delivery)
    }

    /// Whether a message that has not come back says that it was dead-lettered before. It must not be so once more: an
    /// `x-death` that RabbitMQ 3.10 has not written itself ends the dead-lettering of its whole queue.
    private func bearsHistory(_ delivery: Delivery) -> Bool {
        delivery.exchange != Exchange.requeue && delivery.properties.headers["x-death"] != nil
    }

    private func isStale(_ message: IncomingMessage, _ handler: Handler) -> Bool {
        guard let deadline = message.deadline, !handler.kind.isRetried else { return false }
        return deadline < .now()
    }

    // MARK: Handling

    private func run(_ handler: Handler, _ message: IncomingMessage) async -> Handler.Outcome {
        if message.claimsForeignSubject, handler.kind != .event {
            return .reply(message.refusal(Problem(.forbidden, detail: "The sender may not speak for an account.")))
        }
        if message.hasNamelessSubject, handler.kind != .event {
            let detail = "The header \(Header.subjectName) must be the account's username."
            return .reply(message.refusal(Problem(.malformedRequest, detail: detail)))
        }
        if handler.needsCaller, message.caller == nil, !handler.askers.contains(message.sender ?? "") {
            return .reply(message.refusal(Problem(.unauthenticated)))
        }
        if handler.kind == .request(.command), message.id == nil {
            // Without an id it could not happen just once.
            let detail = "A command's message_id must be a UUID."
            return .reply(message.refusal(Problem(.malformedRequest, detail: detail)))
        }
        return await handler.carryOut(message, in: pool, log: log) { relay.nudge() }
    }

    // MARK: After

    private func end(
        _ delivery: Delivery, _ message: IncomingMessage, _ handler: Handler?, _ outcome: Handler.Outcome,
        _ began: ContinuousClock.Instant
    ) async {
        switch outcome {
        case .reply(let answer):
            await reply(answer, to: message)
            delivery.ack()
            note(message, began, status: answer.status)
        case .done:
            delivery.ack()
            note(message, began, status: nil)
        case .failed(let error):
            log.error("failed", metadata: describe(message).merging(["error": "\(error)"]) { $1 })
            await reply(message.refusal(Problem(.unavailable)), to: message)
            delivery.ack()
        case .impossible(let reason):
            log.error("given up", metadata: describe(message).merging(["reason": "\(reason)"]) { $1 })
            await reply(
                message.refusal(Problem(.malformedRequest, detail: "The message cannot be handled.")), to: message)
            if bearsHistory(delivery) { delivery.ack() } else { delivery.reject(requeue: false) }
        }
    }

    /// Sends a failed delivery up the ladder; past its end, rejects it into the dead-letter queue.
    private func retry(
        _ delivery: Delivery, _ message: IncomingMessage, _ handler: Handler, _ error: any Error,
        _ began: ContinuousClock.Instant
    ) async {
        guard let step = RetryStep.afterFailure(message.attempt + 1) else {
            await giveUp(delivery, message, "\(error)")
            return
        }
        log.warning(
            "failed, will be retried",
            metadata: describe(message).merging(["error": "\(error)", "delay": "\(step.rawValue)"]) { $1 })
        await putOff(delivery, RetryLadder.retry(delivery, message, step: step, principal: principal), message)
    }

    /// Publishes the copy that waits in a delivery's place. Without it the delivery must not be acknowledged: it is held
    /// until the broker has the copy, or the worker stops, or the connection that it came on is gone.
    private func putOff(_ delivery: Delivery, _ copy: OutgoingMessage, _ message: IncomingMessage) async {
        while delivery.isOpen {
            await waitForPublisher()
            do {
                try await publisher.publishConfirmed(copy)
                delivery.ack()
                return
            } catch  where error.code == .tooLarge {
                // It will be so at every attempt.
                await giveUp(delivery, message, "its copy is too large")
                return
            } catch {
                log.warning("could not be put off", metadata: describe(message).merging(["error": "\(error)"]) { $1 })
            }
            // Back in its queue it counts as delivered once more, which a stopping worker cannot help.
            guard !isClosing, !Task.isCancelled else { break }
            try? await Loop.sleep(for: .seconds(1))
        }
        delivery.reject(requeue: true)
    }

    /// Rejects a delivery into the dead-letter queue, where the operator finds it.
    private func giveUp(_ delivery: Delivery, _ message: IncomingMessage, _ reason: String) async {
        log.error("given up", metadata: describe(message).merging(["reason": "\(reason)"]) { $1 })
        await reply(message.refusal(Problem(.internal)), to: message)
        delivery.reject(requeue: false)
    }

    /// Has failures that cannot be put off given back to their queues, since the worker stops.
    func close() {
        isClosing = true
    }

    /// Waits for a publishing connection that is being made, as at the start or after the broker's restart, when the
    /// consuming one may be there first.
    private func waitForPublisher() async {
        guard publisher.availability != .available else { return }
        _ = await publisher.waitUntilAvailable(within: Self.patience)
    }

    private func reply(_ reply: Reply, to message: IncomingMessage) async {
        guard let key = message.replyTo else { return }
        await waitForPublisher()
        do {
            try publisher.publish(ReplyMessage.make(reply, to: message, key: key, principal: principal))
        } catch {
            // The sender has its deadline and, for a command, the inbox has the reply.
            log.warning("a reply could not be sent", metadata: describe(message).merging(["error": "\(error)"]) { $1 })
        }
    }

    private func note(_ message: IncomingMessage, _ began: ContinuousClock.Instant, status: Int?) {
        log.info(
            "handled",
            metadata: describe(message).merging([
                "status": .stringConvertible(status ?? 0), "ms": "\(milliseconds(since: began))",
            ]) { $1 })
    }

    private func describe(_ message: IncomingMessage) -> Logger.Metadata {
        ["type": "\(message.type)", "queue": "\(message.queue)", "request-id": "\(message.requestID)"]
    }

    private func milliseconds(since began: ContinuousClock.Instant) -> Double {
        let (seconds, attoseconds) = (ContinuousClock.now - began).components
        return (Double(seconds) * 1e6 + (Double(attoseconds) / 1e12).rounded()) / 1000
    }
}
