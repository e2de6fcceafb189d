internal import AMQP
internal import Contracts
internal import FoundationEssentials
internal import Logging
internal import Postgres
package import Reactor

/// Publishes the events of the outbox. The transaction that deletes them commits when the broker has confirmed them.
///
/// An event that the broker refuses, for instance because a subscriber's queue is full, moves to the end of the
/// outbox and does not delay the others. The relay runs when a commit nudges it, and periodically for the events of a
/// killed process.
@Loop package final class OutboxRelay {
    private static let batch = 200
    /// How long events are gathered before a batch is taken.
    private static let gathering: Duration = .milliseconds(10)
    /// How long one round waits for the broker; short, because the daemon can be stopped meanwhile.
    private static let brokerLimit: Duration = .seconds(2)
    private static let failurePause: Duration = .seconds(1)
    /// How long a batch waits for its confirms; a broker in alarm sends none.
    private static let confirmLimit: Duration = .seconds(10)

    /// The period finds events that a killed worker committed and did not publish.
    private let job = PeriodicJob(every: .seconds(5) ... .seconds(10))
    private let pool: PostgresPool
    private let publisher: Publisher
    private let principal: String
    private let log: Logger

    init(pool: PostgresPool, publisher: Publisher, principal: String, log: Logger) {
        self.pool = pool
        self.publisher = publisher
        self.principal = principal
        self.log = log
        job.nudge()
    }

    /// Starts a round, after a transaction that committed events.
    func nudge() {
        job.nudge()
    }

    /// Relays until ``close()``, and then once more. Returns early if the task is cancelled.
    func run() async {
        await job.run { await relayAll() }
        await relayAll()
    }

    /// Ends ``run()`` when the events that are in the outbox are published.
    func close() {
        job.close()
    }

    private func relayAll() async {
        // While the broker is away the events are safe in the outbox.
        guard await publisher.waitUntilAvailable(within: Self.brokerLimit) else { return job.nudge() }
        do {
            // Events that are committed shortly after one another leave in one batch, because a transaction for each
            // event would cost more than the events themselves.
            if !job.isClosed { try await Loop.sleep(for: Self.gathering) }
            job.absorbNudges()
            while try await relayBatch() {}
        } catch {
            log.warning("events not published", metadata: ["error": "\(error)"])
            job.nudge()
            // The broker or the database is away, or a queue is full: an immediate retry would only consume CPU time.
            try? await Loop.sleep(for: Self.failurePause)
        }
    }

    /// - Returns: whether the outbox can hold more events.
    /// - Throws: also if some events were refused; the others have then left the outbox.
    private func relayBatch() async throws -> Bool {
        let transaction = try await pool.begin(deadline: .now + .seconds(30))
        defer { transaction.close() }
        let events = try await Outbox.take(Self.batch, in: transaction)
        guard !events.isEmpty else { return false }
        let results = await PublishedBatch(events.map(message), through: publisher).results(within: Self.confirmLimit)
        var refused: [Outbox.Event] = []
        for (event, result) in zip(events, results) {
            switch result {
            case .success: break
            // The broker answered, so the connection works and the other results are known too.
            case .failure(let error) where [.refused, .tooLarge, .returned].contains(error.code): refused.append(event)
            case .failure(let error): throw error
            }
        }
        if !refused.isEmpty { Outbox.insert(refused, in: transaction) }
        try await transaction.commit()
        if !refused.isEmpty { throw Refused(count: refused.count) }
        return events.count == Self.batch
    }

    /// The broker refused some events.
    private struct Refused: Error, CustomStringConvertible {
        let count: Int
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
        // Not mandatory, because an event without subscribers is not an error.
        return OutgoingMessage(
            exchange: Exchange.events, routingKey: event.type, isMandatory: false, properties: properties,
            body: event.body)
    }
}
