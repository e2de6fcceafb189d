import AMQP
import Contracts
import DatabaseSupport
import FaultProxy
import Foundation
import Logging
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension Workers {
    @Suite("Stopping a worker", .timeLimit(.minutes(4))) struct StopTests {}
}

extension Workers.StopTests {
    @Test("a worker that stops finishes the deliveries in flight and leaves the other messages in the queue")
    @Loop func finishes() async throws {
        try await WorkerFixture.run { fixture async throws in
            let barrier = Barrier()
            fixture.service.onBegin = { _, _ in await barrier.pass() }
            var plan = RunningWorker.Plan()
            plan.prefetch = 2
            var requests: [String] = []
            try await fixture.withWorker(plan) { worker async throws in
                for _ in 0..<5 {
                    requests.append(try await fixture.client.send(fixture.service.create.name, fixture.body(UUID.v7())))
                }
                #expect(try await eventually(within: .seconds(20)) { fixture.service.inFlight == 2 })
                async let stopped: Void = worker.stopConsuming()
                #expect(try await eventually(within: .seconds(20)) { !worker.worker.isConsuming })
                barrier.open()
                try await stopped
                #expect(fixture.service.begun == 2)
                #expect(try await eventually { try await fixture.queues.depth(fixture.queues.commands) == 3 })
                for request in requests.prefix(2) {
                    #expect(try await fixture.client.reply(to: request).status == 201)
                }
            }
            #expect(try await fixture.count("SELECT count(*) FROM effect") == 2)
            try await fixture.withWorker { _ async throws in
                for request in requests { #expect(try await fixture.client.reply(to: request).status == 201) }
            }
            #expect(fixture.service.begun == 5)
            #expect(try await fixture.count("SELECT count(*) FROM effect") == 5)
            #expect(requests.allSatisfy { fixture.client.replies(to: $0).count == 1 })
        }
    }

    @Test("workers that stop one after another under load carry out each command once and reply once")
    @Loop func oneAfterAnother() async throws {
        try await WorkerFixture.run { fixture async throws in
            let things = (0..<200).map { _ in UUID.v7() }
            var requests: [String] = []
            for thing in things {
                requests.append(try await fixture.client.send(fixture.service.create.name, fixture.body(thing)))
            }
            var plan = RunningWorker.Plan()
            plan.prefetch = 5
            while fixture.service.begun < things.count {
                let goal = min(fixture.service.begun + 40, things.count)
                try await fixture.withWorker(plan) { _ async throws in
                    #expect(try await eventually(within: .seconds(30)) { fixture.service.begun >= goal })
                }
            }
            for request in requests { #expect(try await fixture.client.reply(to: request).status == 201) }
            #expect(try await fixture.count("SELECT count(*) FROM effect") == things.count)
            #expect(requests.allSatisfy { fixture.client.replies(to: $0).count == 1 })
            #expect(
                try await eventually(within: .seconds(20)) {
                    fixture.eventIDs(about: things).count == things.count
                })
            #expect(try await fixture.outboxCount() == 0)
        }
    }

    @Test("a worker whose connection breaks repeatedly resumes, and no command is lost or carried out twice")
    @Loop func cutAgainAndAgain() async throws {
        try await WorkerFixture.run { fixture async throws in
            let things = (0..<60).map { _ in UUID.v7() }
            try await fixture.withWorker { worker async throws in
                for (number, thing) in things.enumerated() {
                    try await fixture.client.send(fixture.service.create.name, fixture.body(thing))
                    guard number % 20 == 10 else { continue }
                    fixture.brokerProxy.cut()
                    #expect(try await eventually(within: .seconds(30)) { worker.isReady })
                }
                #expect(
                    try await eventually(within: .seconds(60)) {
                        try await fixture.count("SELECT count(DISTINCT thing) FROM effect") == things.count
                    })
                #expect(
                    try await eventually(within: .seconds(60)) {
                        things.allSatisfy { fixture.events(about: $0) >= 1 }
                    })
            }
            #expect(try await fixture.count("SELECT count(*) FROM effect") == things.count)
            #expect(try await fixture.queues.depth(fixture.queues.commands) == 0)
            #expect(try await fixture.outboxCount() == 0)
        }
    }

    @Test("the outbox relay and the command sweeper end when their task is cancelled")
    @Loop func cancelled() async throws {
        try await WorkerFixture.run { fixture in
            let barrier = Barrier()
            try await fixture.withWorker { worker async throws in
                let sweeper = CommandSweeper(pool: worker.pool, retention: .seconds(3600), log: .quiet)
                let relay = OutboxRelay(
                    pool: worker.pool, publisher: worker.publisher, principal: fixture.client.user, log: .quiet)
                let ended = Barrier(opensAfter: 0)
                try await withThrowingTaskGroup(of: Void.self) { group async throws in
                    group.addTask {
                        await sweeper.run()
                        await ended.pass()
                    }
                    group.addTask {
                        await relay.run()
                        await ended.pass()
                    }
                    group.addTask { await barrier.pass() }
                    #expect(try await eventually { barrier.arrived == 1 })
                    group.cancelAll()
                    #expect(try await eventually(within: .seconds(20)) { ended.arrived == 2 })
                    // If the relay or the sweeper has not ended, the test has failed. Closing them ends the test.
                    sweeper.close()
                    relay.close()
                    barrier.open()
                }
            }
        }
    }

    @Test("a worker that is started and stopped repeatedly leaves no connection open")
    @Loop func connections() async throws {
        try await WorkerFixture.run { fixture async throws in
            func cycle() async throws {
                try await fixture.withWorker { _ async throws in
                    _ = try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7()))
                }
            }
            try await cycle()
            // Other suites run at the same time, so this test counts only connections to its own proxies.
            for _ in 0..<5 { try await cycle() }
            #expect(
                try await eventually(within: .seconds(20)) {
                    try openConnections(to: [fixture.brokerProxy.port, fixture.databaseProxy.port]) == 0
                })
        }
    }

    /// Returns the number of this process's sockets that are connected to these ports, from /proc/self/net/tcp.
    private func openConnections(to ports: [Int]) throws -> Int {
        var ownSockets: Set<String> = []
        for entry in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(entry)"),
                target.hasPrefix("socket:[")
            else { continue }
            ownSockets.insert(String(target.dropFirst(8).dropLast()))
        }
        let suffixes = ports.map { ":" + String(format: "%04X", $0) }
        return try String(contentsOfFile: "/proc/self/net/tcp", encoding: .utf8).split(separator: "\n").dropFirst()
            .map { $0.split(separator: " ") }
            .count { fields in
                fields.count > 9 && suffixes.contains { fields[2].hasSuffix($0) }
                    && ownSockets.contains(String(fields[9]))
            }
    }
}
