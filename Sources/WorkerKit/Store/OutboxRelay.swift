internal import AMQP
internal import Contracts
internal import FoundationEssentials
internal import Logging
internal import Postgres
package import Reactor

/// Publishes the events of the outbox, each deleted in a transaction that commits once the broker has confirmed it.
///
/// An event that is refused, as where a follower's queue is full, goes to the end of the outbox: the others pass it.
/// It works when it is nudged after a commit, and looks by itself now and then for what a killed process left behind.
@Loop package final class OutboxRelay {
    private static let batch = 200
    /// How long events are gathered before a batch is taken.
    private static let moment: Duration = .milliseconds(10)
    /// How long one look waits for the broker; the daemon may be told to stop meanwhile.
    private static let patience: Duration = .seconds(2)
    private static let failurePause: Duration = .seconds(1)
    /// How long a batch waits for its confirms; a broker in alarm gives none.
    private static let confirmLimit: Duration = .seconds(10)

    /// Without a nudge it looks for what a killed worker committed and never relayed.
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

    /// Says that a transaction has just committed events.
    func nudge() {
        job.nudge()
    }

    /// Relays until it is closed, and then once more; or until its task is cancelled, when nothing waits any more.
    func run() async {
        await job.run { await relayAll() }
        await relayAll()
    }

    /// Lets `run` end once it has published what is there.
    func close() {
        job.close()
    }

    private func relayAll() async {
        // Without the broker there is nothing to do but wait for it; the events are safe where they are.
        guard await publisher.waitUntilAvailable(within: Self.patience) else { return job.nudge() }
        do {
            // What is committed within a moment leaves in one batch: a transaction for each event would cost more than
            // the events themselves.
            if !job.isClosed { try await Loop.sleep(for: Self.moment) }
            job.absorbNudges()
            while try await relayBatch() {}
        } catch {
            log.warning("events wait in the outbox", metadata: ["error": "\(error)"])
            job.nudge()
            // The cause is a broker or a database that is away, or a full queue: trying at once again would only spin.
            try? await Loop.sleep(for: Self.failurePause)
        }
    }

    /// - Returns: whether there may be more to publish.
    /// - Throws: also where some events were refused; the others have left the outbox then.
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
            // The broker has answered: what becomes of the others is not in doubt.
            case .failure(let error) where [.refused, .tooLarge, .returned].contains(error.code): refused.append(event)
            case .failure(let error): throw error
            }
        }
        if !refused.isEmpty { Outbox.insert(refused, in: transaction) }
        try await transaction.commit()
        if !refused.isEmpty { throw Refused(count: refused.count) }
        return events.count == Self.batch
    }

    /// The broker did not take some events.
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
        // An event that nobody follows is no fault: not mandatory.
        return OutgoingMessage(
            exchange: Exchange.events, routingKey: event.type, isMandatory: false, properties: properties,
            body: event.body)
    }
}
