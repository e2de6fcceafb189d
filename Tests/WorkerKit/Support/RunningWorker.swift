import AMQP
import BrokerSupport
import Contracts
import DatabaseSupport
import FaultProxy
import Logging
import Postgres
import Reactor
import Redis
import TestSupport
import Testing

@testable import WorkerKit

/// A worker with its connections, started and stopped as `Daemon.runWorker` does.
@Loop final class RunningWorker {
    struct Plan {
        /// The principals that may send requests on behalf of accounts; by default the broker user of the tests.
        var trusted: Set<String>?
        /// The principals that may send requests without a caller.
        var principalsWithoutCaller: Set<String> = []
        var prefetch: UInt16 = 16
        var connections = 4
        /// Whether the worker publishes its events.
        var relays = true
        /// Whether the worker reaches the database without the fixture's proxy.
        var bypassesDatabaseProxy = false
        /// A second proxy to the database, as a second host of its URL.
        var secondDatabaseProxy: FaultProxy?
        /// How long messages are held while a dependency is not available.
        var holdLimit = Duration.seconds(60)
        /// The Redis server of the caches.
        var caches: RedisClient?
        /// The log of the dispatcher.
        var log = Logger.quiet
    }

    let pool: PostgresPool
    let publisher: Publisher
    let relay: OutboxRelay
    let worker: Worker
    private let dispatcher: Dispatcher
    private let relays: Bool
    private var hasWorkerEnded = false
    private var hasRelayEnded = false

    init(_ fixture: WorkerFixture, _ plan: Plan) throws {
        let address = fixture.queues.address.at(port: fixture.brokerProxy.port)
        relays = plan.relays
        let ports = [fixture.databaseProxy.port] + (plan.secondDatabaseProxy.map { [$0.port] } ?? [])
        let databaseURL =
            plan.bypassesDatabaseProxy ? fixture.databaseURL : TestDatabase.through(ports, fixture.databaseURL)
        pool = PostgresPool(url: databaseURL, size: plan.connections, log: .quiet)
        publisher = Publisher(address: address, name: "test worker", log: .quiet)
        relay = OutboxRelay(pool: pool, publisher: publisher, principal: address.user, log: .quiet)
        let handlers = (fixture.service.handlers + fixture.extraHandlers).map { handler in
            var handler = handler
            handler.principalsWithoutCaller = plan.principalsWithoutCaller
            return handler
        }
        dispatcher = Dispatcher(
            handlers: handlers, principal: address.user,
            trusted: plan.trusted ?? [address.user], pool: pool, publisher: publisher, relay: relay,
            holdLimit: plan.holdLimit, log: plan.log)
        let queues = [fixture.queues.commands, fixture.queues.queries, fixture.queues.events]
        worker = Worker(
            address: address, name: "test worker", queues: queues.map { ConsumedQueue($0, prefetch: plan.prefetch) },
            dispatcher: dispatcher, pool: pool, caches: plan.caches, log: .quiet)
    }

    var outages: Outages { dispatcher.outages }
    var missingDependencies: [Dependency] { worker.missingDependencies }

    var isReady: Bool {
        worker.isConsuming && publisher.availability == .available && pool.availability == .available
    }

    func run(_ body: @Loop (RunningWorker) async throws -> Void) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await self.pool.run() }
            group.addTask { await self.publisher.run() }
            group.addTask { await self.runRelay() }
            group.addTask { await self.runWorker() }
            do {
                try #require(await eventually(within: .seconds(30)) { isReady })
                try await body(self)
            } catch {
                try? await stop()
                throw error
            }
            try await stop()
        }
    }

    /// Stops consuming and waits for the deliveries in flight. A second call does nothing.
    func stopConsuming() async throws {
        await worker.close()
        try #require(await eventually(within: .seconds(30)) { hasWorkerEnded })
    }

    private func stop() async throws {
        try await stopConsuming()
        relay.close()
        try #require(await eventually(within: .seconds(30)) { hasRelayEnded })
        await publisher.close(within: .seconds(5))
        await pool.close(within: .seconds(5))
    }

    private func runWorker() async {
        await worker.run()
        hasWorkerEnded = true
    }

    private func runRelay() async {
        if relays { await relay.run() }
        hasRelayEnded = true
    }
}
