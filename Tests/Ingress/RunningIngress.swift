import AMQP
import BrokerSupport
import Contracts
import Logging
import Reactor
import ServiceLifecycle
import TestSupport
import WorkerKit

@testable import Ingress

/// An ingress that runs in the test, on the scratch virtual host.
struct RunningIngress: Sendable {
    let port: Int
    let maker: TokenMaker
    let exchange: MessageExchange
    let uploads: BodyBudget
    private let group: ServiceGroup

    /// Tells it to stop, as SIGTERM does.
    func stop() async { await group.triggerGracefulShutdown() }

    /// A client of it.
    func client() throws -> RawClient { try RawClient(port: port) }

    /// Runs an ingress for the length of a body.
    ///
    /// - Parameters:
    ///   - environment: what differs from the usual; rate limits are off.
    ///   - change: what no variable says.
    ///   - waits: whether the broker must be there before the body runs.
    static func with(
        environment changes: [String: String] = [:], change: (inout IngressSettings) -> Void = { _ in },
        waits: Bool = true, _ body: @escaping @Sendable (RunningIngress) async throws -> Void
    ) async throws {
        let maker = try await TokenMaker()
        var environment = [
            "WARREN_HTTP_ADDRESS": "127.0.0.1:0", "WARREN_VERIFY_KEYS": try maker.keySetText,
            "WARREN_AMQP_URL": try TestEnvironment.value("WARREN_TEST_AMQP_URL"),
            "WARREN_REDIS_URL": try TestEnvironment.value("WARREN_TEST_REDIS_URL"), "WARREN_RATE_LIMIT": "off",
            "WARREN_CREDENTIAL_RATE_LIMIT": "off",
        ].merging(changes) { $1 }
        environment["WARREN_LOG_LEVEL"] = nil
        var settings = try await IngressSettings(Settings(environment: environment))
        change(&settings)
        let broker = try BrokerAddress(url: TestEnvironment.value("WARREN_TEST_AMQP_URL"))
        try await Provisioner(address: broker).perform([
            .exchange(Exchange.commands, type: "topic"), .exchange(Exchange.replies, type: "direct"),
        ])
        var log = Logger(label: "ingress-tests") { _ in SwiftLogNoOpLogHandler() }
        log.logLevel = .critical
        let quiet = log
        let parts = await IngressParts(settings, log: quiet)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: await parts.services, logger: quiet))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask(executorPreference: Loop.executor) { try await group.run() }
            let http = await parts.http
            let exchange = await parts.exchange
            let uploads = await parts.uploads
            let isUp = try await eventually {
                guard http.port != nil else { return false }
                guard waits else { return true }
                return await exchange.health() == MessageExchange.Health(isBrokerUp: true, isRedisUp: true)
            }
            guard isUp, let port = http.port else { throw NotUp() }
            do {
                let ingress = RunningIngress(
                    port: port, maker: maker, exchange: exchange, uploads: uploads, group: group)
                // Its clients wait for bytes on the thread that they run on.
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

/// A worker's stand-in on the same topology: what it is given it hands to the test, and answers as the test says.
struct Responder: Sendable {
    /// A request as it came through the broker.
    struct Received: Sendable {
        let properties: Properties
        let body: [UInt8]

        func header(_ name: String) -> String? { properties.headers[name]?.string }
    }

    /// Answers messages of a type for the length of a body.
    ///
    /// It leaves alone what other tests have sent: only requests whose id has the mark are its own.
    static func with(
        _ type: String, mark: String, answer: @escaping @Sendable (Received) -> Reply?,
        _ body: @Sendable () async throws -> Void
    ) async throws {
        let address = try BrokerAddress(url: TestEnvironment.value("WARREN_TEST_AMQP_URL"))
        let log = Logger(label: "responder") { _ in SwiftLogNoOpLogHandler() }
        let publisher = await Publisher(address: address, name: "responder", log: log)
        let consumer = await Consumer(
            address: address, name: "responder",
            subscriptions: [
                .replies(exchange: Exchange.commands, key: type) { delivery in
                    let received = Received(properties: delivery.properties, body: delivery.body)
                    guard received.header(Header.requestId)?.hasPrefix(mark) == true, let reply = answer(received),
                        let key = delivery.properties.replyTo
                    else { return }
                    var properties = Properties()
                    properties.correlationID = delivery.properties.correlationID
                    properties.contentType = reply.contentType
                    properties.headers[Header.status] = .int64(Int64(reply.status))
                    if let location = reply.location { properties.headers[Header.location] = .string(location) }
                    if let etag = reply.etag { properties.headers[Header.etag] = .string(etag) }
                    if let seconds = reply.retryAfter { properties.headers[Header.retryAfter] = .int64(Int64(seconds)) }
                    try? publisher.publish(
                        OutgoingMessage(
                            exchange: Exchange.replies, routingKey: key, properties: properties, body: reply.body))
                }
            ], log: log)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await publisher.run() }
            tasks.addTask { await consumer.run() }
            let isUp = await publisher.waitUntilAvailable(within: .seconds(10))
            guard isUp, await consumer.waitUntilConsuming(within: .seconds(10)) else { throw RunningIngress.NotUp() }
            let result: Result<Void, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            await consumer.close()
            await publisher.close()
            try await tasks.waitForAll()
            try result.get()
        }
    }
}
