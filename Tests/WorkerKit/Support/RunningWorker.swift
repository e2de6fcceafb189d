import AMQP
import Contracts
import DatabaseSupport
import Logging
import Postgres
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

/// The parts of a worker's process, put together and taken apart as `Daemon.work` does.
@Loop final class RunningWorker {
    struct Plan {
        /// Who may speak for others; by default the tests' own broker user.
        var trusted: Set<String>?
        /// Who may ask in their own name what needs an account.
        var principalsWithoutCaller: Set<String> = []
        var prefetch: UInt16 = 16
        var connections = 4
        var relays = true
    }

    let pool: PostgresPool
    let publisher: Publisher
    let relay: OutboxRelay
    let worker: Worker
    private let relays: Bool
    private var hasWorkerEnded = false
    private var hasRelayEnded = false

    init(_ fixture: WorkerFixture, _ plan: Plan) throws {
        var address = fixture.queues.address
        address.port = fixture.brokerProxy.port
        relays = plan.relays
        pool = PostgresPool(
            url: TestDatabase.through(fixture.databaseProxy.port, fixture.databaseURL), size: plan.connections,
            log: silentLog)
        publisher = Publisher(address: address, name: "test worker", log: silentLog)
        relay = OutboxRelay(pool: pool, publisher: publisher, principal: address.user, log: silentLog)
        let handlers = (fixture.service.handlers + fixture.extraHandlers).map { handler in
            var handler = handler
            handler.principalsWithoutCaller = plan.principalsWithoutCaller
            return handler
        }
        let dispatcher = Dispatcher(
            handlers: handlers, principal: address.user,
            trusted: plan.trusted ?? [address.user], pool: pool, publisher: publisher, relay: relay, log: silentLog)
        let queues = [fixture.queues.commands, fixture.queues.queries, fixture.queues.events]
        worker = Worker(
            address: address, name: "test worker", queues: queues.map { ConsumedQueue($0, prefetch: plan.prefetch) },
            dispatcher: dispatcher, log: silentLog)
    }

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

    /// Stops the worker itself, and waits until it has finished what it had in hand; a second call does no harm.
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
