import AMQP
import BrokerSupport
import Reactor
import TestSupport

/// The queues and exchanges of one test on the real broker, with unique names.
struct TestTopology {
    let address: BrokerAddress
    let provisioner: Provisioner
    private let prefix = "test." + String(UInt64.random(in: .min ... .max), radix: 36)
    private let cleanUp = CleanUp()

    private final class CleanUp: Sendable {
        @Loop var steps: [Provisioner.Step] = []
    }

    init() throws {
        address = try BrokerAddress(url: TestEnvironment.value("WARREN_TEST_AMQP_URL"))
        provisioner = Provisioner(address: address)
    }

    /// Runs the body of a test, then deletes the test's queues and exchanges, even if the body throws.
    @Loop static func run(_ body: @Loop (TestTopology) async throws -> Void) async throws {
        let topology = try TestTopology()
        do {
            try await body(topology)
        } catch {
            try? await topology.provisioner.perform(topology.cleanUp.steps)
            throw error
        }
        try await topology.provisioner.perform(topology.cleanUp.steps)
    }

    func name(_ suffix: String) -> String { "\(prefix).\(suffix)" }

    /// Declares a queue and returns its name.
    @Loop func queue(_ suffix: String = "queue", arguments: Headers = [:]) async throws -> String {
        let name = name(suffix)
        cleanUp.steps.append(.deleteQueue(name))
        try await provisioner.perform([.queue(name, arguments: arguments)])
        return name
    }

    /// Declares an exchange and returns its name.
    @Loop func exchange(_ suffix: String = "exchange", type: String = "direct") async throws -> String {
        let name = name(suffix)
        cleanUp.steps.append(.deleteExchange(name))
        try await provisioner.perform([.exchange(name, type: type)])
        return name
    }
}
