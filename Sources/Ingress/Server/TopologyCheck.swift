internal import AMQP
internal import Contracts
internal import Logging
internal import Reactor
internal import ServiceLifecycle

/// Checks that the broker has the exchanges that the ingress needs, as soon as the broker is reachable. HTTP is
/// served in the meantime.
struct TopologyCheck: Service {
    /// An exchange is missing, which retrying does not change.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let retryDelay: Duration = .seconds(1)

    let broker: BrokerAddress
    let name: String
    let log: Logger

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                try await check()
                try await gracefulShutdown()
            }
        } catch is CancellationError {
            // Graceful shutdown began before the broker was reachable.
        }
    }

    private func check() async throws {
        let exchanges = [Exchange.commands, Exchange.replies]
        while true {
            do {
                let missing = try await BrokerCheck(address: broker, name: name)
                    .missing(exchanges: exchanges, queues: [])
                guard missing.isEmpty else {
                    throw Failure(
                        description:
                            "the broker lacks \(missing.joined(separator: ", ")); import queues/definitions.json")
                }
                return
            } catch let error as AMQPError where error.isTransient {
                try Task.checkCancellation()
                log.warning("waiting", metadata: ["for": "the broker", "error": "\(error)"])
                try await Loop.sleep(for: Self.retryDelay)
            }
        }
    }
}
