import AMQP
import Contracts
import Logging
import Reactor

/// An integrator that subscribes to all events, and counts them by type and by the id of the post, picture or account.
@Loop final class EventCounter {
    /// The name begins with that of the principal, as the permissions of integrators require.
    static let queue = "integrator.chaos"

    private let counter = Counter()
    private let consumer: Consumer

    @Loop private final class Counter {
        var counts: [String: [String: Int]] = [:]
        var malformed = 0
    }

    init(address: BrokerAddress) {
        let counter = counter
        consumer = Consumer(
            address: address, name: "warren-chaos",
            subscriptions: [
                .queue(Self.queue, prefetch: 1_000) { delivery in
                    if let event = try? JSON.parse(delivery.body), let type = event["type"]?.string,
                        let subject = event["subject"]?.string
                    {
                        counter.counts[type, default: [:]][subject, default: 0] += 1
                    } else {
                        counter.malformed += 1
                    }
                    delivery.ack()
                }
            ], log: Logger(label: "warren-chaos") { _ in SwiftLogNoOpLogHandler() })
    }

    func run() async { await consumer.run() }

    func close() async { await consumer.close() }

    /// Returns the events of some types together, by id.
    func counts(of types: String...) -> [String: Int] {
        types.reduce(into: [:]) { sums, type in
            sums.merge(counter.counts[type] ?? [:]) { $0 + $1 }
        }
    }

    /// The number of events that were not CloudEvents with a type and a subject.
    var malformed: Int { counter.malformed }
}
