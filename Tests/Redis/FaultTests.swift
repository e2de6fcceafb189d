import Reactor
import Redis
import TestSupport
import Testing

@Suite("A Redis server that fails", .timeLimit(.minutes(2)))
struct FaultTests {
    @Test("and cuts the connection: commands under way fail, later ones work over a new connection")
    @Loop func cut() async throws {
        let (url, proxy) = try proxiedRedis()
        defer { proxy.stop() }
        try await withClient(url) { client async throws in
            let key = freshKey()
            var connects = 0
            client.onConnect = { connects += 1 }
            _ = try await client.send(["SET", .string(key), "kept", "PX", 60000])
            proxy.stall()
            var outcomes: [RedisError.Code?] = []
            for _ in 0..<100 {
                client.send(["GET", .string(key)]) { outcome in
                    if case .failure(let error) = outcome { outcomes.append(error.code) } else { outcomes.append(nil) }
                }
            }
            try await Loop.sleep(for: .milliseconds(20))
            proxy.cut()
            proxy.resume()
            #expect(try await eventually { outcomes.count == 100 })
            #expect(outcomes.allSatisfy { $0 == .connectionLost })
            #expect(try await eventually { client.isConnected && connects == 1 })
            #expect(try await client.send(["GET", .string(key)]).string == "kept")
        }
    }

    @Test("and is away: commands fail at once and say why, until it is back")
    @Loop func refused() async throws {
        let (url, proxy) = try proxiedRedis()
        defer { proxy.stop() }
        try await withClient(url) { client async throws in
            proxy.refuse()
            #expect(try await eventually { !client.isConnected })
            var code: RedisError.Code?
            client.send(["PING"]) { if case .failure(let error) = $0 { code = error.code } }
            #expect(code == .unavailable)
            #expect(await failure(client, ["PING"])?.message.isEmpty == false)
            #expect(client.lastFailure != nil)
            proxy.resume()
            #expect(try await eventually(within: .seconds(20)) { client.isConnected })
            #expect(try await client.send(["PING"]) == .status("PONG"))
            #expect(client.lastFailure == nil)
        }
    }

    @Test("and answers late: the late reply is dropped, and the next command gets its own")
    @Loop func late() async throws {
        let (url, proxy) = try proxiedRedis()
        defer { proxy.stop() }
        var limits = patientLimits()
        limits.silence = .seconds(30)
        try await withClient(url, limits: limits) { client async throws in
            proxy.stall()
            for number in 0..<5 {
                #expect(
                    await failure(client, ["ECHO", .integer(number)], timeout: .milliseconds(20))?.code == .timeout)
            }
            async let last = client.send(["ECHO", "mine"])
            try await Loop.sleep(for: .milliseconds(20))
            proxy.resume()
            #expect(try await last.string == "mine")
            #expect(client.isConnected)
            #expect(proxy.acceptedCount == 1)
        }
    }

    @Test("and is silent for too long: the connection is made anew, and no reply goes to the wrong command")
    @Loop func stalled() async throws {
        let (url, proxy) = try proxiedRedis()
        defer { proxy.stop() }
        var limits = patientLimits()
        limits.timeout = .milliseconds(50)
        limits.silence = .milliseconds(300)
        limits.connectTimeout = .milliseconds(300)
        try await withClient(url, limits: limits) { client async throws in
            proxy.stall()
            #expect(await failure(client, ["ECHO", "lost"])?.code == .timeout)
            #expect(try await eventually { !client.isConnected })
            #expect(await failure(client, ["ECHO", "lost"])?.code == .unavailable)
            proxy.resume()
            #expect(try await eventually(within: .seconds(20)) { client.isConnected })
            for number in 0..<200 {
                #expect(try await client.send(["ECHO", .integer(number)], timeout: .seconds(10)).string == "\(number)")
            }
        }
    }

    @Test("and wants another password is named as such")
    @Loop func wrongPassword() async throws {
        let address = try RedisAddress(url: try redisURL())
        let client = try makeClient("redis://:not-the-password@\(address.host):\(address.port)/\(address.database)")
        async let running: Void = client.run()
        #expect(try await eventually { client.lastFailure != nil })
        let words = client.lastFailure?.message ?? ""
        #expect(words.hasPrefix("WRONGPASS") || words.contains("AUTH"))
        let error = await failure(client, ["PING"])
        #expect(error?.code == .unavailable)
        #expect(error?.message == words)
        #expect(!words.contains("not-the-password"))
        await client.close()
        await running
    }
}
