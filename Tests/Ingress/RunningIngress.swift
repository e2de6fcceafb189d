import AMQP
import BrokerSupport
import Contracts
import Logging
import Reactor
import ServiceLifecycle
import TestSupport
import WorkerKit

@testable import Ingress

/// An ingress that runs in the test process. It uses the broker's virtual host for tests.
struct RunningIngress: Sendable {
    /// The key of receipts that the ingresses of all tests share.
    static let receiptKey = String(repeating: "receipt-", count: 4)

    let port: Int
    let maker: TokenMaker
    let uploads: ByteBudget
    let responses: ByteBudget
    private let bridge: LoopBridge
    private let group: ServiceGroup

    /// The number of requests that wait for a reply.
    var pendingRequests: Int { get async { await bridge.pendingRequests } }

    /// Starts graceful shutdown, as SIGTERM does.
    func stop() async { await group.triggerGracefulShutdown() }

    /// Connects a client from a random loopback address.
    func client() throws -> RawClient { try RawClient(port: port) }

    /// Runs an ingress while a closure runs. The rate limits are off unless `environment` sets them.
    ///
    /// - Parameters:
    ///   - changes: variables to add to the default environment.
    ///   - change: changes settings that have no variable.
    ///   - waits: whether to wait for the broker and Redis before the closure is called.
    ///   - body: the closure.
    static func with(
        environment changes: [String: String] = [:], change: (inout IngressSettings) -> Void = { _ in },
        waits: Bool = true, _ body: @escaping @Sendable (RunningIngress) async throws -> Void
    ) async throws {
        let maker = try await TokenMaker()
        var environment = [
            "WARREN_HTTP_ADDRESS": "127.0.0.1:0", "WARREN_VERIFY_KEYS": try maker.keySetText,
            "WARREN_AMQP_URL": try TestEnvironment.value("WARREN_TEST_AMQP_URL"),
            "WARREN_REDIS_URL": try TestEnvironment.value("WARREN_TEST_REDIS_URL"), "WARREN_RATE_LIMIT": "off",
            "WARREN_CREDENTIAL_RATE_LIMIT": "off", "WARREN_RECEIPT_KEYS": receiptKey,
        ].merging(changes) { $1 }
        environment["WARREN_LOG_LEVEL"] = nil
        var settings = try await IngressSettings(Settings(environment: environment))
        change(&settings)
        let broker = try BrokerAddress(url: TestEnvironment.value("WARREN_TEST_AMQP_URL"))
        try await Provisioner(address: broker).perform([
            .exchange(Exchange.commands, type: "topic"), .exchange(Exchange.replies, type: "direct"),
        ])
        let components = await IngressComponents(settings, log: .quiet) { _ in broker.user }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: await components.services, logger: .quiet))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask(executorPreference: Loop.executor) { try await group.run() }
            let http = await components.http
            let bridge = await components.bridge
            let uploads = await components.uploadBudget
            let responses = await components.responseBudget
            let isUp = try await eventually {
                guard http.port != nil else { return false }
                guard waits else { return true }
                return await bridge.health() == LoopBridge.Health(isBrokerUp: true, isRedisUp: true)
            }
            guard isUp, let port = http.port else { throw NotUp() }
            do {
                let ingress = RunningIngress(
                    port: port, maker: maker, uploads: uploads, responses: responses, bridge: bridge,
                    group: group)
                // The clients block their thread in recv(2).
                try await onThreads { try await body(ingress) }
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    struct NotUp: Error {}
}
