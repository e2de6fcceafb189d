import FaultProxy
import Reactor
import TestSupport
import Testing

@testable import Redis

@Suite("Redis failures", .timeLimit(.minutes(2)))
struct FaultTests {
    @Test("when the connection to Redis breaks, commands in flight fail, and later commands use a new connection")
    @Loop func cut() async throws {
        let (url, proxy) = try proxiedRedis()
        defer { proxy.stop() }
        try await withClient(url) { client async throws in
            let key = freshKey()
            var connects = 0
            client.onConnect = { connects += 1 }
            _ = try await client.send(["SET", .string(key), "kept", "PX", 60000])
            proxy.stall()
            var codes: [ErrorCode<RedisError>?] = []
            for _ in 0..<100 {
                client.send(["GET", .string(key)]) { result in
                    if case .failure(let error) = result { codes.append(error.code) } else { codes.append(nil) }
                }
            }
            try await Loop.sleep(for: .milliseconds(20))
            proxy.cut()
            proxy.resume()
            #expect(try await eventually { codes.count == 100 })
            #expect(codes.allSatisfy { $0 == .connectionLost })
            #expect(try await eventually { client.isConnected && connects == 1 })
            #expect(try await client.send(["GET", .string(key)]).string == "kept")
        }
    }

    @Test("while Redis refuses connections, commands fail at once with .unavailable and the reason as the cause")
    @Loop func refused() async throws {
        let (url, proxy) = try proxiedRedis()
        defer { proxy.stop() }
        try await withClient(url) { client async throws in
            proxy.refuse()
            #expect(try await eventually { !client.isConnected })
            var code: ErrorCode<RedisError>?
            client.send(["PING"]) { if case .failure(let error) = $0 { code = error.code } }
            #expect(code == .unavailable)
            #expect(await failure(client, ["PING"])?.cause != nil)
            #expect(client.lastFailure != nil)
            proxy.resume()
            #expect(try await eventually(within: .seconds(20)) { client.isConnected })
            #expect(try await client.send(["PING"]) == .status("PONG"))
            #expect(client.lastFailure == nil)
        }
    }

    @Test("the late reply to a command that timed out is dropped, and the next command gets its own reply")
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

    @Test("the client disconnects from a silent Redis server, and no command gets the reply to another command")
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

    @Test("with a wrong password, commands fail with the server's error as the cause and without the password in it")
    @Loop func wrongPassword() async throws {
        let address = try RedisAddress(url: try redisURL())
        let client = try makeClient("redis://:not-the-password@\(address.host):\(address.port)/\(address.database)")
        async let running: Void = client.run()
        #expect(try await eventually { client.lastFailure != nil })
        let text = client.lastFailure?.message ?? ""
        #expect(text.hasPrefix("WRONGPASS") || text.contains("AUTH"))
        let error = await failure(client, ["PING"])
        #expect(error?.code == .unavailable)
        #expect((error?.cause as? RedisError)?.message == text)
        #expect(error?.description.contains(text) == true)
        #expect(error?.description.contains("not-the-password") == false)
        await client.close()
        await running
    }

    @Test("a Redis error is transient if the same command can succeed later")
    func transience() {
        for code in [ErrorCode<RedisError>.unavailable, .timeout, .connectionLost] {
            #expect(RedisError(code, "").isTransient, "\(code)")
        }
        #expect(RedisError(.reply, "LOADING Redis is loading the dataset in memory").isTransient)
        #expect(!RedisError(.reply, "WRONGTYPE Operation against a key").isTransient)
        #expect(!RedisError(.protocol, "").isTransient)
        #expect(!RedisError(.address, "").isTransient)
    }
}
