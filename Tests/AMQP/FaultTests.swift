import BrokerSupport
import FaultProxy
import Foundation
import Reactor
import TestSupport
import Testing

@testable import AMQP

@Suite("Broker failures", .serialized)
struct FaultTests {
    @Loop private func withProxy(
        heartbeat: Int? = nil, _ body: @Loop (TestTopology, FaultProxy, BrokerAddress) async throws -> Void
    ) async throws {
        try await TestTopology.run { topology in
            let proxy = try FaultProxy(to: topology.address.port)
            defer { proxy.stop() }
            var proxyAddress = topology.address.at(port: proxy.port)
            if let heartbeat { proxyAddress.heartbeat = heartbeat }
            try await body(topology, proxy, proxyAddress)
        }
    }

    @Test("when a publisher's connection breaks, each message is confirmed or fails with outcomeUnknown")
    @Loop func cutsPublisher() async throws {
        try await withProxy { topology, proxy, address in
            let queue = try await topology.queue()
            try await withPublisher(address) { publisher in
                var confirmed = 0
                var unknown = 0
                var sent = 0
                for round in 0..<200 {
                    guard publisher.availability == .available else { break }
                    for _ in 0..<20 {
                        do throws(PublishError) {
                            try publisher.publish(.text("x", to: queue, isMandatory: true)) { result in
                                switch result {
                                case .success: confirmed += 1
                                case .failure(let error) where error.code == .outcomeUnknown: unknown += 1
                                case .failure(let error): Issue.record(error)
                                }
                            }
                            sent += 1
                        } catch { #expect(error.code == .unavailable) }
                    }
                    if round == 20 { proxy.cut() }
                    try await Loop.sleep(for: .milliseconds(1))
                }
                try await becomes { confirmed + unknown == sent }
                #expect(confirmed > 0)
                #expect(await publisher.waitUntilAvailable(within: .seconds(10)))
                try await publisher.publishConfirmed(.text("after", to: queue, isMandatory: true))
                let depth = try await topology.provisioner.depth(ofQueue: queue).ready
                #expect(depth >= confirmed + 1)
                #expect(depth <= sent + 1)
            }
        }
    }

    @Test("when a consumer's connection breaks, every message is still handled")
    @Loop func cutsConsumer() async throws {
        try await withProxy { topology, proxy, address in
            let queue = try await topology.queue()
            var handled = Set<String>()
            var acknowledged = 0
            let subscription = Subscription.queue(queue, prefetch: 20) { delivery in
                handled.insert(String(decoding: delivery.body, as: UTF8.self))
                Loop.schedule(after: .milliseconds(2)) { if delivery.ack() { acknowledged += 1 } }
            }
            try await withConsumer(address, [subscription]) { consumer in
                try await withPublisher(topology.address) { publisher in
                    for index in 0..<600 {
                        try publisher.publish(.text("\(index)", to: queue)) { _ in }
                        if index % 200 == 100 { proxy.cut() }
                        if index % 10 == 0 { try await Loop.sleep(for: .milliseconds(2)) }
                    }
                }
                try await becomes(within: .seconds(30)) { handled.count == 600 && consumer.openCount == 0 }
                #expect(acknowledged >= 600)
            }
            #expect(try await topology.provisioner.depth(ofQueue: queue).ready == 0)
        }
    }

    @Test("while the broker refuses connections, publishing fails at once with unavailable, and later it works again")
    @Loop func refuses() async throws {
        try await withProxy { topology, proxy, address in
            let queue = try await topology.queue()
            try await withPublisher(address) { publisher in
                proxy.refuse()
                try await becomes { publisher.availability == .connecting }
                var error = #expect(throws: PublishError.self) { try publisher.publish(.text("x", to: queue)) }
                #expect(error?.code == .unavailable)
                error = await #expect(throws: PublishError.self) {
                    try await publisher.publishConfirmed(.text("x", to: queue))
                }
                #expect(error?.code == .unavailable)
                #expect(await !publisher.waitUntilAvailable(within: .milliseconds(300)))
                try await becomes { proxy.acceptedCount >= 3 }
                proxy.resume()
                #expect(await publisher.waitUntilAvailable(within: .seconds(15)))
                try await publisher.publishConfirmed(.text("x", to: queue, isMandatory: true))
            }
        }
    }

    @Test("when the broker hangs, the loop is not blocked, publishing is limited, and the publisher disconnects")
    @Loop func stalls() async throws {
        try await withProxy(heartbeat: 2) { topology, proxy, address in
            let queue = try await topology.queue()
            var options = Publisher.Options()
            options.maximumBuffered = 4 << 20
            try await withPublisher(address, options: options) { publisher in
                proxy.stall()
                let body = [UInt8](repeating: 7, count: 1 << 20)
                var unknown = 0
                var refused = 0
                var longestTurn = Duration.zero
                let start = ContinuousClock.now
                var last = start
                while publisher.availability == .available, ContinuousClock.now - start < .seconds(15) {
                    do throws(PublishError) {
                        try publisher.publish(OutgoingMessage(exchange: "", routingKey: queue, body: body)) { result in
                            if case .failure(let error) = result, error.code == .outcomeUnknown { unknown += 1 }
                        }
                    } catch { refused += 1 }
                    try await Loop.sleep(for: .milliseconds(5))
                    longestTurn = max(longestTurn, ContinuousClock.now - last)
                    last = .now
                }
                #expect(publisher.availability == .connecting)
                #expect(ContinuousClock.now - start < .seconds(8))
                #expect(longestTurn < .seconds(2))
                #expect(refused > 0)
                #expect(unknown > 0)
                proxy.resume()
                proxy.cut()
                #expect(await publisher.waitUntilAvailable(within: .seconds(20)))
                try await publisher.publishConfirmed(.text("x", to: queue, isMandatory: true))
            }
        }
    }

    @Test("heartbeats keep an idle connection open, and their absence ends the connection when the broker hangs")
    @Loop func heartbeats() async throws {
        try await withProxy(heartbeat: 1) { topology, proxy, address in
            let queue = try await topology.queue()
            try await withConsumer(address, [.queue(queue, prefetch: 1) { _ in }]) { consumer in
                try await Loop.sleep(for: .seconds(4))
                #expect(consumer.state == .consuming)
                #expect(proxy.acceptedCount == 1)
                proxy.stall()
                try await becomes { consumer.state == .connecting }
                proxy.resume()
                proxy.cut()
                #expect(await consumer.waitUntilConsuming(within: .seconds(20)))
            }
        }
    }

    @Test("a stopped consumer does not reconnect, and close() still ends its run()")
    @Loop func stopsForGood() async throws {
        try await withProxy { topology, proxy, address in
            let queue = try await topology.queue()
            try await withConsumer(address, [.queue(queue, prefetch: 1) { _ in }]) { consumer in
                await consumer.stopConsuming()
                proxy.cut()
                try await Loop.sleep(for: .milliseconds(500))
                #expect(proxy.acceptedCount == 1)
                #expect(consumer.state == .stopped)
            }
        }
    }

    @Test("a second run() of a publisher or a consumer returns at once and does not affect the first run()")
    @Loop func runsOnce() async throws {
        try await withProxy { topology, _, address in
            let queue = try await topology.queue()
            try await withPublisher(address) { publisher in
                await publisher.run()
                try await publisher.publishConfirmed(.text("x", to: queue, isMandatory: true))
                try await withConsumer(address, [.queue(queue, prefetch: 1) { $0.ack() }]) { consumer in
                    await consumer.run()
                    #expect(consumer.state == .consuming)
                }
            }
        }
    }

    @Test("close() of a publisher ends its attempt to connect to a broker that hangs")
    @Loop func closesWhileConnecting() async throws {
        try await withProxy { _, proxy, address in
            proxy.stall()
            let publisher = Publisher(address: address, name: "hanging", log: .quiet)
            async let running: Void = publisher.run()
            try await becomes { proxy.acceptedCount == 1 }
            try await Loop.sleep(for: .milliseconds(50))
            let start = ContinuousClock.now
            await publisher.close()
            await running
            #expect(ContinuousClock.now - start < .seconds(2))
        }
    }

    @Test("starting and stopping publishers and consumers leaks no descriptors")
    @Loop func leaksNothing() async throws {
        try await withProxy { topology, proxy, address in
            let queue = try await topology.queue()
            func cycle() async throws {
                try await withPublisher(address) { publisher in
                    try await publisher.publishConfirmed(.text("x", to: queue))
                    try await withConsumer(address, [.queue(queue, prefetch: 1) { $0.ack() }]) { _ in }
                }
            }
            try await cycle()
            let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            for _ in 0..<20 { try await cycle() }
            // Other tests open and close descriptors at the same time, and the proxy closes its descriptors a little
            // later.
            try await becomes {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count < before + 20
            }
            #expect(proxy.acceptedCount == 42)
        }
    }
}
