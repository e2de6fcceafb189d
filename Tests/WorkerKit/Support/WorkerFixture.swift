import AMQP
import BrokerSupport
import Contracts
import DatabaseSupport
import FaultProxy
import FoundationEssentials
import Logging
import Postgres
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

/// The queues, the database, the client and the service of one test. The test starts and stops workers of the service.
@Loop final class WorkerFixture {
    let queues: TestQueues
    let databaseURL: String
    /// Connections to the database that bypass the proxy.
    let database: PostgresPool
    let client: TestClient
    let service: SampleService
    /// The proxy between the workers and the broker.
    let brokerProxy: FaultProxy
    /// The proxy between the workers and the database.
    let databaseProxy: FaultProxy
    /// The queue that receives the service's events.
    let eventQueue: String
    var extraHandlers: [Handler] = []

    struct Plan {
        var needsCaller = false
        /// The delay of every step of the retry ladder, in milliseconds.
        var delay: Int64 = 30
        var eventTypes: [String] = []
        /// The delivery limit of the queues of commands and events.
        var deliveryLimit: Int64 = 20
    }

    private init(
        queues: TestQueues, service: SampleService, databaseURL: String, database: PostgresPool
    ) throws {
        self.queues = queues
        self.service = service
        self.databaseURL = databaseURL
        self.database = database
        eventQueue = queues.prefix + ".seen"
        brokerProxy = try FaultProxy(to: queues.address.port)
        databaseProxy = try FaultProxy(to: TestDatabase.port(of: databaseURL))
        let dead = [queues.commands, queues.events].map { Queue.dead(of: $0) }
        client = TestClient(queues.address, watching: [eventQueue] + dead)
    }

    /// Runs a test with a fixture of its own. The queues and the database are deleted afterwards.
    static func run(_ plan: Plan = Plan(), _ body: @Loop (WorkerFixture) async throws -> Void) async throws {
        let queues = try TestQueues()
        let service = SampleService(prefix: queues.prefix, needsCaller: plan.needsCaller)
        let seen = queues.prefix + ".seen"
        try await queues.declare(
            commandTypes: service.commandTypes, queryTypes: service.queryTypes, eventTypes: plan.eventTypes,
            delay: plan.delay, deliveryLimit: plan.deliveryLimit)
        try await queues.provisioner.perform([
            .queue(seen), .binding(queue: seen, exchange: Exchange.events, key: ThingMade.type),
        ])
        do {
            try await TestDatabase.withDatabase { url in
                try await Migrator(url: url, log: .quiet).migrate(KitMigrations.all + SampleService.migrations)
                try await TestDatabase.withPool(url, size: 2) { pool in
                    let fixture = try WorkerFixture(queues: queues, service: service, databaseURL: url, database: pool)
                    defer {
                        fixture.brokerProxy.stop()
                        fixture.databaseProxy.stop()
                    }
                    try await fixture.client.connected { try await body(fixture) }
                }
            }
        } catch {
            try? await queues.delete()
            try? await queues.provisioner.perform([.deleteQueue(seen)])
            throw error
        }
        try await queues.delete()
        try await queues.provisioner.perform([.deleteQueue(seen)])
    }

    /// Runs a worker of the service while the body runs. Then stops the worker in the order in which a daemon
    /// stops its services.
    func withWorker(
        _ plan: RunningWorker.Plan = RunningWorker.Plan(), _ body: @Loop (RunningWorker) async throws -> Void
    ) async throws {
        let worker = try RunningWorker(self, plan)
        try await worker.run(body)
    }

    // MARK: Inspection

    func count(_ sql: String) async throws -> Int {
        try await database.query(Statement(sql))[0].get(0, as: Int.self)
    }

    func effects(of thing: UUID) async throws -> Int {
        try await count("SELECT count(*) FROM effect WHERE thing = '\(thing.text)'")
    }

    func outboxCount() async throws -> Int { try await count("SELECT count(*) FROM outbox") }

    /// Returns the number of events about an entity that were published.
    func events(about thing: UUID) -> Int {
        client.taken(from: eventQueue).count { String(decoding: $0.body, as: UTF8.self).contains(thing.text) }
    }

    /// Returns the ids of the published events about these entities. The queue also has the events of other tests.
    func eventIDs(about things: [UUID]) -> [String] {
        let own = Set(things)
        return client.taken(from: eventQueue).compactMap { delivery in
            let event: CloudEvent<ThingMade>? = try? EventEnvelope.decode(delivery.body).decode(ThingMade.self)
            return event.flatMap { own.contains($0.data.id) ? delivery.properties.messageID : nil }
        }
    }

    func body(_ id: UUID) -> String { #"{"id":"\#(id.text)"}"# }

    /// Waits until a later event has arrived, and expects that no event about an entity was published.
    func expectNoEvent(about thing: UUID, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        (service.onBegin, service.onEnd) = (nil, nil)
        let later = UUID.v7()
        _ = try await client.ask(service.create.name, body(later))
        #expect(try await eventually(within: .seconds(20)) { events(about: later) > 0 }, sourceLocation: sourceLocation)
        #expect(events(about: thing) == 0, sourceLocation: sourceLocation)
    }
}
