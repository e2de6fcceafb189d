import Foundation
import Reactor
import Redis
import TestSupport
import Testing

@Suite("The life of a Redis client", .timeLimit(.minutes(2)))
struct LifecycleTests {
    @Test("leaves no socket and no descriptor behind, however often it starts and stops")
    @Loop func startStop() async throws {
        let name = "warren-\(UUID().uuidString)"
        let before = try openDescriptors()
        for round in 0..<300 {
            let client = try makeClient(try redisURL(), name: name)
            async let running: Void = client.run()
            // Every other one is closed while it connects.
            if round % 2 == 0 { #expect(try await eventually { client.isConnected }) }
            await client.close()
            await running
            #expect(!client.isConnected)
        }
        // Other tests of the process open some too, for a while: a leak would be 300, and stay.
        #expect(try await eventually(within: .seconds(60)) { try openDescriptors() - before < 150 })
        try await withClient { client async throws in
            #expect(
                try await eventually { () async throws in
                    try await client.send(["CLIENT", "LIST"]).string?.contains(name) == false
                })
        }
    }

    @Test("ends with its task, and commands fail from then on")
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

    @Test("closing fails what is under way, and closing twice is closing once")
    @Loop func close() async throws {
        let (url, proxy) = try proxiedRedis()
        defer { proxy.stop() }
        let client = try makeClient(url)
        async let running: Void = client.run()
        #expect(try await eventually { client.isConnected })
        proxy.stall()
        var code: RedisError.Code?
        client.send(["PING"]) { if case .failure(let error) = $0 { code = error.code } }
        await client.close()
        await running
        await client.close()
        #expect(code == .connectionLost)
        #expect(await failure(client, ["PING"])?.code == .unavailable)
    }

    @Test("a command that closes the client in its completion is no trouble")
    @Loop func closeInCompletion() async throws {
        let client = try makeClient(try redisURL())
        async let running: Void = client.run()
        #expect(try await eventually { client.isConnected })
        var codes: [RedisError.Code?] = []
        for number in 0..<3 {
            client.send(["PING"]) { outcome in
                if case .failure(let error) = outcome { codes.append(error.code) } else { codes.append(nil) }
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
