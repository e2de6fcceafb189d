import AMQP
import Contracts
import FaultProxy
import FoundationEssentials
import Logging
import Reactor
import Redis
import TestSupport
import Testing

@testable import WorkerKit

extension Workers {
    @Suite("Invalidations that another worker sends to Redis", .timeLimit(.minutes(3)))
    struct InvalidationHandoverTests {}
}

extension Workers.InvalidationHandoverTests {
    /// Runs a test with a worker and two cache clients. The worker handles passed-on invalidations with `second`, and
    /// `first` is the client of a process that only passes invalidations on.
    @Loop private func withCaches(
        _ body: @Loop (_ first: CacheFixture, _ second: CacheFixture, WorkerFixture) async throws -> Void
    ) async throws {
        try await WorkerFixture.run { fixture in
            let handover = handover(fixture)
            try await CacheFixture.run(handover: handover) { first in
                try await CacheFixture.run(name: first.name, handover: handover) { second in
                    fixture.extraHandlers = [.invalidations(second.invalidations)]
                    try await fixture.withWorker { _ in try await body(first, second, fixture) }
                }
            }
        }
    }

    @Loop private func handover(_ fixture: WorkerFixture) -> InvalidationHandover {
        InvalidationHandover(
            publisher: fixture.client.publisher, principal: fixture.client.user, queue: fixture.queues.events,
            log: .quiet)
    }

    @Test("if a worker cannot reach Redis, another worker sends its invalidations of an entity and of pages")
    @Loop func unreachable() async throws {
        try await withCaches { first, second, _ in
            try await second.entity("a", inDatabase: "old")
            try await second.page("1", inDatabase: "old")
            first.proxy.refuse()
            #expect(try await eventually { !first.redis.isConnected })
            await first.entities.putTombstone("a")
            await first.pages.invalidate()
            let isInvalidated = try await eventually(within: .seconds(10)) {
                let entity = try await second.entity("a", inDatabase: "new")
                let page = try await second.page("1", inDatabase: "new")
                return entity == "new" && page == "new"
            }
            #expect(isInvalidated)
        }
    }

    @Test("a worker that receives invalidations and does not reach Redis either passes them on")
    @Loop func passedOn() async throws {
        try await withCaches { first, second, fixture in
            try await CacheFixture.run(name: first.name) { third in
                try await third.entity("a", inDatabase: "old")
                first.proxy.refuse()
                second.proxy.refuse()
                #expect(try await eventually { !first.redis.isConnected && !second.redis.isConnected })
                await first.entities.putTombstone("a")
                #expect(try await eventually { second.invalidations.count == 1 })
                // The worker of `second` goes on passing the invalidation to itself, until this worker receives it.
                fixture.extraHandlers = [.invalidations(third.invalidations)]
                try await fixture.withWorker { _ in
                    let isInvalidated = try await eventually(within: .seconds(20)) {
                        try await third.entity("a", inDatabase: "new") == "new"
                    }
                    #expect(isInvalidated)
                }
            }
            #expect(fixture.client.taken(from: Queue.dead(of: fixture.queues.events)).isEmpty)
        }
    }

    @Test("more invalidations than a message can have are passed on in several messages")
    @Loop func many() async throws {
        try await withCaches { first, second, fixture in
            let handover = handover(fixture)
            let count = InvalidationHandover.batchLimit * 2 + 1
            let ids = (0..<count).map { _ in UUID.v7().text }
            for id in ids { handover.add(.entity(id, in: first.name), needed: .seconds(60)) }
            handover.close()
            let areSent = try await eventually(within: .seconds(20)) {
                for id in [ids[0], ids[count / 2], ids[count - 1]] {
                    guard await second.entityLookup(id) == "unavailable" else { return false }
                }
                return true
            }
            #expect(areSent)
            #expect(fixture.client.taken(from: Queue.dead(of: fixture.queues.events)).isEmpty)
        }
    }

    @Test("a worker that stops passes its failed invalidations on at once")
    @Loop func stopping() async throws {
        try await withCaches { first, second, fixture in
            try await second.entity("a", inDatabase: "old")
            do {
                // The object is released at the end of the scope, so only `close` can publish.
                let handover = handover(fixture)
                handover.add(.entity("a", in: first.name), needed: .seconds(60))
                handover.close()
            }
            let isInvalidated = try await eventually(within: .seconds(10)) {
                try await second.entity("a", inDatabase: "new") == "new"
            }
            #expect(isInvalidated)
        }
    }

    @Test("an invalidation that is no longer needed is not passed on")
    @Loop func outdated() async throws {
        try await withCaches { first, second, fixture in
            try await second.entity("a", inDatabase: "old")
            let handover = handover(fixture)
            handover.add(.entity("a", in: first.name), needed: .milliseconds(500))
            handover.close()
            handover.add(.entity("b", in: first.name), needed: .seconds(60))
            handover.close()
            let isSent = try await eventually(within: .seconds(10)) { await second.entityLookup("b") == "unavailable" }
            #expect(isSent)
            #expect(try await second.entity("a", inDatabase: "new") == "old")
        }
    }

    @Test("a malformed message with invalidations becomes a dead letter")
    @Loop func malformed() async throws {
        try await withCaches { _, _, fixture in
            for body in ["", "{}", #"{"invalidations":[{"cache":"","needed":1}]}"#] {
                try await fixture.client.send(InvalidationHandover.messageType, body) {
                    $0.exchange = Exchange.requeue
                    $0.routingKey = "1s.\(fixture.queues.events)"
                }
            }
            let dead = Queue.dead(of: fixture.queues.events)
            #expect(try await eventually(within: .seconds(20)) { fixture.client.taken(from: dead).count == 3 })
        }
    }
}
