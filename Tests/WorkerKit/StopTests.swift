import AMQP
import Contracts
import Foundation
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension Workers {
    @Suite("Stopping loses nothing", .timeLimit(.minutes(4))) struct StopTests {}
}

extension Workers.StopTests {
    @Test("what is in hand is finished, answered and acknowledged; what waits stays in the queue for another")
    @Loop func finishes() async throws {
        try await Bench.run { bench async throws in
            let gate = Gate()
            bench.things.atBegin = { _, _ in await gate.pass() }
            var plan = RunningWorker.Plan()
            plan.prefetch = 2
            var requests: [String] = []
            try await bench.withWorker(plan) { worker async throws in
                for _ in 0..<5 {
                    requests.append(try await bench.client.send(bench.things.make.name, bench.body(UUID.v7())))
                }
                #expect(try await eventually(within: .seconds(20)) { bench.things.inHand == 2 })
                async let stopped: Void = worker.stopConsuming()
                #expect(try await eventually(within: .seconds(20)) { !worker.worker.isConsuming })
                gate.open()
                try await stopped
                #expect(bench.things.begun == 2)
                #expect(try await eventually { try await bench.queues.depth(bench.queues.commands) == 3 })
                for request in requests.prefix(2) {
                    #expect(try await bench.client.reply(to: request).status == 201)
                }
            }
            #expect(try await bench.count("SELECT count(*) FROM effect") == 2)
            try await bench.withWorker { _ async throws in
                for request in requests { #expect(try await bench.client.reply(to: request).status == 201) }
            }
            #expect(bench.things.begun == 5)
            #expect(try await bench.count("SELECT count(*) FROM effect") == 5)
            #expect(requests.allSatisfy { bench.client.replies(to: $0).count == 1 })
        }
    }

    @Test("under load, worker after worker: every command is carried out once and answered once")
    @Loop func relieved() async throws {
        try await Bench.run { bench async throws in
            let things = (0..<200).map { _ in UUID.v7() }
            var requests: [String] = []
            for thing in things {
                requests.append(try await bench.client.send(bench.things.make.name, bench.body(thing)))
            }
            var plan = RunningWorker.Plan()
            plan.prefetch = 5
            while bench.things.begun < things.count {
                let goal = min(bench.things.begun + 40, things.count)
                try await bench.withWorker(plan) { _ async throws in
                    #expect(try await eventually(within: .seconds(30)) { bench.things.begun >= goal })
                }
            }
            for request in requests { #expect(try await bench.client.reply(to: request).status == 201) }
            #expect(try await bench.count("SELECT count(*) FROM effect") == things.count)
            #expect(requests.allSatisfy { bench.client.replies(to: $0).count == 1 })
            #expect(
                try await eventually(within: .seconds(20)) {
                    bench.eventIDs(about: things).count == things.count
                })
            #expect(try await bench.outboxCount() == 0)
        }
    }

    @Test("a worker whose connection breaks, again and again, resumes, and nothing is lost or done twice")
    @Loop func cutAgainAndAgain() async throws {
        try await Bench.run { bench async throws in
            let things = (0..<60).map { _ in UUID.v7() }
            try await bench.withWorker { worker async throws in
                for (number, thing) in things.enumerated() {
                    try await bench.client.send(bench.things.make.name, bench.body(thing))
                    guard number % 20 == 10 else { continue }
                    bench.broker.cut()
                    #expect(try await eventually(within: .seconds(30)) { worker.isReady })
                }
                #expect(
                    try await eventually(within: .seconds(60)) {
                        try await bench.count("SELECT count(DISTINCT thing) FROM effect") == things.count
                    })
                #expect(
                    try await eventually(within: .seconds(60)) {
                        things.allSatisfy { bench.events(about: $0) >= 1 }
                    })
            }
            #expect(try await bench.count("SELECT count(*) FROM effect") == things.count)
            #expect(try await bench.queues.depth(bench.queues.commands) == 0)
            #expect(try await bench.outboxCount() == 0)
        }
    }

    @Test("one that is cancelled, since its time to stop is up or another part has failed, ends nonetheless")
    @Loop func cancelled() async throws {
        try await Bench.run { bench in
            let gate = Gate()
            try await bench.withWorker { worker async throws in
                let sweeper = InboxSweeper(pool: worker.pool, log: quiet)
                let relay = OutboxRelay(
                    pool: worker.pool, publisher: worker.publisher, principal: bench.client.user, log: quiet)
                let ended = Gate(opensAfter: 0)
                try await withThrowingTaskGroup(of: Void.self) { group async throws in
                    group.addTask {
                        await sweeper.run()
                        await ended.pass()
                    }
                    group.addTask {
                        await relay.run()
                        await ended.pass()
                    }
                    group.addTask { await gate.pass() }
                    #expect(try await eventually { gate.arrived == 1 })
                    group.cancelAll()
                    #expect(try await eventually(within: .seconds(20)) { ended.arrived == 2 })
                    // Where one has not ended, the test has failed already and must end itself.
                    sweeper.close()
                    relay.close()
                    gate.open()
                }
            }
        }
    }

    @Test("started and stopped in a loop, a worker leaves no descriptor open")
    @Loop func descriptors() async throws {
        try await Bench.run { bench async throws in
            func cycle() async throws {
                try await bench.withWorker { _ async throws in
                    _ = try await bench.client.ask(bench.things.make.name, bench.body(UUID.v7()))
                }
            }
            try await cycle()
            // Other suites run beside this one: what belongs to this test is known by the ports of its own proxies.
            for _ in 0..<5 { try await cycle() }
            #expect(
                try await eventually(within: .seconds(20)) {
                    try openConnections(to: [bench.broker.port, bench.between.port]) == 0
                })
        }
    }

    /// How many sockets of this process are connected to these ports of loopback, as the kernel lists them.
    private func openConnections(to ports: [Int]) throws -> Int {
        var mine: Set<String> = []
        for entry in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(entry)"),
                target.hasPrefix("socket:[")
            else { continue }
            mine.insert(String(target.dropFirst(8).dropLast()))
        }
        let suffixes = ports.map { ":" + String(format: "%04X", $0) }
        return try String(contentsOfFile: "/proc/self/net/tcp", encoding: .utf8).split(separator: "\n").dropFirst()
            .map { $0.split(separator: " ") }
            .count { fields in
                fields.count > 9 && suffixes.contains { fields[2].hasSuffix($0) } && mine.contains(String(fields[9]))
            }
    }
}
