internal import AMQP
internal import Contracts
internal import Logging
internal import Reactor
internal import ServiceLifecycle
internal import WorkerKit

/// Checks that the broker has the exchanges that the ingress needs, as soon as the broker is reachable. HTTP requests
/// are already served before the check.
struct TopologyCheck: Service {
    let broker: BrokerAddress
    let name: String
    let log: Logger

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                try await RequiredTopology(exchanges: [Exchange.commands, Exchange.replies], queues: [])
                    .verify(on: broker, name: name, log: log)
                try await gracefulShutdown()
            }
        } catch is CancellationError {
            // Graceful shutdown began before the broker was reachable.
        }
    }
}
