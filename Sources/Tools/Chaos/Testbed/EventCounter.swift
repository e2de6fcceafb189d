import AMQP
import Contracts
import Logging
import Reactor

/// An integrator that subscribes to all events, and counts them by type and by the id of the post, picture or account.
/// Checks for many events of posts that their transaction was committed before.
@Loop final class EventCounter {
    /// The name begins with that of the principal, as the permissions of integrators require.
    static let queue = "integrator.chaos"

    private struct Event: Sendable {
        let type: String
        let post: String
    }

    private let counter = Counter()
    private let consumer: Consumer
    private let databases: Databases
    private let unchecked: AsyncStream<Event>
    private let incoming: AsyncStream<Event>.Continuation

    @Loop private final class Counter {
        var counts: [String: [String: Int]] = [:]
        var malformed = 0
        /// The posts whose events arrived before their transactions were committed, by type.
        var early: [String: Set<String>] = [:]
    }

    init(address: BrokerAddress, databases: Databases) {
        self.databases = databases
        // Only events that have just arrived are checked.
        let (unchecked, incoming) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(4))
        (self.unchecked, self.incoming) = (unchecked, incoming)
        let counter = counter
        consumer = Consumer(
            address: address, name: BrokerClient.name,
            subscriptions: [
                .queue(Self.queue, prefetch: 1_000) { delivery in
                    if let event = try? JSON.parse(delivery.body), let type = event["type"]?.string,
                        let subject = event["subject"]?.string
                    {
                        counter.counts[type, default: [:]][subject, default: 0] += 1
                        if type.hasPrefix("post.") { incoming.yield(Event(type: type, post: subject)) }
                    } else {
                        counter.malformed += 1
                    }
                    delivery.ack()
                }
            ], log: .discarding)
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.consumer.run() }
            for await event in unchecked { await check(event) }
        }
    }

    func close() async {
        incoming.finish()
        await consumer.close()
    }

    /// Notes an event that arrived before its transaction was committed. If the database does not answer, the event is
    /// not checked.
    private func check(_ event: Event) async {
        guard let isStored = await databases.hasPost(event.post) else { return }
        if isStored != (event.type == "post.created") { counter.early[event.type, default: []].insert(event.post) }
    }

    /// Returns the events of some types together, by id.
    func counts(of types: String...) -> [String: Int] {
        types.reduce(into: [:]) { sums, type in
            sums.merge(counter.counts[type] ?? [:]) { $0 + $1 }
        }
    }

    /// Returns a line for each post whose event arrived before its transaction was committed, since the last call.
    func takeEarlyEvents() -> [String] {
        defer { counter.early = [:] }
        // A post may have been deleted before its creation was checked.
        let deleted = counts(of: "post.deleted")
        let created = (counter.early["post.created"] ?? []).filter { deleted[$0] == nil }
        return created.sorted().map { "the event of the creation came before the post was stored: \($0)" }
            + (counter.early["post.deleted"] ?? []).sorted().map {
                "the event of the deletion came before the post was deleted: \($0)"
            }
    }

    /// Returns the number of events since the last call that were not CloudEvents with a type and a subject.
    func takeMalformed() -> Int {
        defer { counter.malformed = 0 }
        return counter.malformed
    }
}
