import FaultProxy
import Foundation
import Reactor
import TestSupport
import Testing

@testable import Redis

@Suite("Redis client lifecycle", .timeLimit(.minutes(2)))
struct LifecycleTests {
    @Test("starting and stopping Redis clients leaks no connections and no descriptors")
    @Loop func startStop() async throws {
        let name = "warren-\(UUID().uuidString)"
        let before = try openDescriptors()
        for round in 0..<300 {
            let client = try makeClient(try redisURL(), name: name)
            async let running: Void = client.run()
            // Every second client is closed while it connects.
            if round % 2 == 0 { #expect(try await eventually { client.isConnected }) }
            await client.close()
            await running
            #expect(!client.isConnected)
        }
        // Other tests open descriptors at the same time but close them again; leaked descriptors of 300 clients would
        // stay open.
        #expect(try await eventually(within: .seconds(60)) { try openDescriptors() - before < 150 })
        try await withClient { client async throws in
            #expect(
                try await eventually { () async throws in
                    try await client.send(["CLIENT", "LIST"]).string?.contains(name) == false
                })
        }
    }

    @Test("run() of a Redis client returns when its task is cancelled, and later commands fail with .unavailable")
    @Loop func cancellation() async throws {
        let client = try makeClient(try redisURL())
        try await withThrowingTaskGroup(of: Void.self) { group async throws in
            group.addTask { await client.run() }
            #expect(try await eventually { client.isConnected })
            group.cancelAll()
        }
        #expect(!client.isConnected)
        #expect(await failure(client, ["PING"])?.code == .unavailable)
    }

    @Test("close() makes Redis commands in flight fail with .connectionLost, and a second close() does nothing")
    @Loop func close() async throws {
        let (url, proxy) = try proxiedRedis()
        defer { proxy.stop() }
        let client = try makeClient(url)
        async let running: Void = client.run()
        #expect(try await eventually { client.isConnected })
        proxy.stall()
        var code: ErrorCode<RedisError>?
        client.send(["PING"]) { if case .failure(let error) = $0 { code = error.code } }
        await client.close()
        await running
        await client.close()
        #expect(code == .connectionLost)
        #expect(await failure(client, ["PING"])?.code == .unavailable)
    }

    @Test("if a completion stops the Redis client, the later commands in flight fail with .connectionLost")
    @Loop func closeInCompletion() async throws {
        let client = try makeClient(try redisURL())
        async let running: Void = client.run()
        #expect(try await eventually { client.isConnected })
        var codes: [ErrorCode<RedisError>?] = []
        for number in 0..<3 {
            client.send(["PING"]) { result in
                if case .failure(let error) = result { codes.append(error.code) } else { codes.append(nil) }
                if number == 0 { client.stop() }
            }
        }
        await running
        #expect(codes == [nil, .connectionLost, .connectionLost])
        await client.close()
    }

    private func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }
}
