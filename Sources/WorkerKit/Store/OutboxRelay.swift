internal import AMQP
internal import Contracts
internal import FoundationEssentials
internal import Logging
internal import Postgres
package import Reactor

/// Publishes the events of the outbox. The transaction that deletes them is committed when the broker has confirmed
/// them.
///
/// An event that the broker refuses, for instance because a subscriber's queue is full, is published again later. Every
/// attempt delivers the event to the other subscribers again. Therefore the delay before the next attempt doubles. A
/// refused event does not delay the other events. The relay runs after each commit that has written events
/// (``nudge()``), and also periodically.
@Loop package final class OutboxRelay {
    /// The maximum number of events in a batch.
    private static let batchLimit = 200
    /// How long a round waits for further events before it takes the first batch.
    private static let gatheringTime: Duration = .milliseconds(10)
    /// How long a round waits for the broker. The limit is short, because a stop of the daemon waits for the round.
    private static let brokerLimit: Duration = .seconds(2)
    private static let failurePause: Duration = .seconds(1)
    /// How long a batch waits for its confirms. A broker in alarm does not confirm.
    private static let confirmLimit: Duration = .seconds(10)

    /// The periodic rounds publish events of a worker that was killed after their commit.
    private let job = PeriodicJob(every: .seconds(5) ... .seconds(10))
    private let pool: PostgresPool
    private let publisher: Publisher
    private let principal: String
    private let log: Logger
    private var retryTimer: LoopTimer?
    /// Whether the last round failed. Only the first failure in a row is a warning, because the next ones usually have
    /// the same reason.
    private var isFailing = false

    init(pool: PostgresPool, publisher: Publisher, principal: String, log: Logger) {
        self.pool = pool
        self.publisher = publisher
        self.principal = principal
        self.log = log
        job.nudge()
    }

    /// Starts a round. Called after a commit that has written events.
    func nudge() {
        job.nudge()
    }

    /// Relays events until ``close()`` is called, and then runs one more round. Ends early if the task is cancelled.
    func run() async {
        await job.run { await relayAll() }
        await relayAll()
    }

    isolated deinit {
        retryTimer?.cancel()
    }

    /// Ends ``run()`` after one more round, which publishes the events that are left in the outbox.
    func close() {
        job.close()
    }

    private func relayAll() async {
        // If the broker is not available, the events stay in the outbox for the next round.
        guard await publisher.waitUntilAvailable(within: Self.brokerLimit) else { return job.nudge() }
        do {
            // Events that are committed within a short time are published in one batch, because a transaction for each
            // event would cost more than publishing the event.
            if !job.isClosed { try await Loop.sleep(for: Self.gatheringTime) }
            job.absorbNudges()
            while try await relayBatch() {}
            if isFailing { log.notice("events are published again") }
            isFailing = false
        } catch let refusal as Refused {
            log.warning("events not published", metadata: ["error": "\(refusal)"])
            job.nudge()
            retryTimer?.cancel()
            retryTimer = Loop.schedule(after: refusal.delay) { [job] in job.nudge() }
        } catch {
            log.log(level: isFailing ? .debug : .warning, "events not published", metadata: ["error": "\(error)"])
            isFailing = true
            job.nudge()
            // The broker or the database is not available. An immediate retry would fail again.
            try? await Loop.sleep(for: Self.failurePause)
        }
    }

    /// Publishes one batch of events.
    ///
    /// - Returns: whether the outbox may contain more events.
    /// - Throws: an error of the database or the broker. If the broker has refused some of the events, the function
    ///   throws after the other events have been removed from the outbox.
    private func relayBatch() async throws -> Bool {
        let transaction = try await pool.begin(deadline: .now + .seconds(30))
        defer { transaction.close() }
        let events = try await Outbox.take(Self.batchLimit, in: transaction)
        guard !events.isEmpty else { return false }
        let results = await PublishedBatch(events.map(message), through: publisher).results(within: Self.confirmLimit)
        var refused: [Outbox.Event] = []
        for (event, result) in zip(events, results) {
            switch result {
            case .success: break
            // The broker has refused only this event. It is put back into the outbox.
            case .failure(let error) where [.refused, .tooLarge, .returned].contains(error.code): refused.append(event)
            case .failure(let error): throw error
            }
        }
        let delay = refused.isEmpty ? nil : Outbox.postpone(refused, in: transaction)
        try await transaction.commit()
        if let delay { throw Refused(count: refused.count, delay: delay) }
        return events.count == Self.batchLimit
    }

    /// The broker refused some events.
    private struct Refused: Error, CustomStringConvertible {
        let count: Int
        /// When the first of them can be published again.
        let delay: Duration
        var description: String { "the broker refused \(count) events" }
    }

    private func message(_ event: Outbox.Event) -> OutgoingMessage {
        var properties = Properties()
        properties.contentType = ContentType.cloudEvent
        properties.isPersistent = true
        properties.messageID = event.id.text
        properties.type = event.type
        properties.userID = principal
        properties.appID = principal
        // The message is not mandatory, because an event without subscribers is not an error.
        return OutgoingMessage(
            exchange: Exchange.events, routingKey: event.type, isMandatory: false, properties: properties,
            body: event.body)
    }
}
