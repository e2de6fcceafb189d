import Reactor
import TestSupport
import Testing

@testable import Redis

@Suite("Redis commands", .timeLimit(.minutes(2)))
struct CommandTests {
    @Test("Redis commands that are sent together get their own replies, in the order of sending")
    @Loop func order() async throws {
        try await withClient { client async throws in
            let key = freshKey()
            var seen: [Int?] = []
            for _ in 0..<1000 {
                client.send(["INCR", .string(key)]) { seen.append((try? $0.get())?.integer) }
            }
            #expect(try await eventually { seen.count == 1000 })
            #expect(seen == (1...1000).map { $0 })
            _ = try await client.send(["DEL", .string(key)])
        }
    }

    @Test("Redis keys and values can contain any bytes")
    @Loop func binary() async throws {
        try await withClient { client async throws in
            let key = RedisArgument(Array(freshKey().utf8) + [0, 13, 10, 255])
            let value = (0..<1024).map { UInt8(truncatingIfNeeded: $0) } + Array("\r\n$-1\r\n".utf8)
            #expect(try await client.send(["SET", key, .bytes(value), "PX", 60000]) == .status("OK"))
            #expect(try await client.send(["GET", key]) == .bytes(value))
            #expect(try await client.send(["SET", key, ""]) == .status("OK"))
            #expect(try await client.send(["GET", key]) == .bytes([]))
            #expect(try await client.send(["DEL", key]) == .integer(1))
            #expect(try await client.send(["GET", key]) == .null)
        }
    }

    @Test("a command sent right after a large value gets its own reply, and the value is read back unchanged")
    @Loop func large() async throws {
        try await withClient { client async throws in
            let key = freshKey()
            let value = largeValue()
            async let stored = client.send(["SET", .string(key), .bytes(value), "PX", 60000])
            async let echoed = client.send(["ECHO", "between"])
            #expect(try await stored == .status("OK"))
            #expect(try await echoed.string == "between")
            #expect(try await client.send(["GET", .string(key)]) == .bytes(value))
            _ = try await client.send(["DEL", .string(key)])
        }
    }

    @Test("an error reply is thrown as an error with the server's prefix, and later commands work")
    @Loop func errorReplies() async throws {
        try await withClient { client async throws in
            let key = freshKey()
            _ = try await client.send(["SET", .string(key), "text", "PX", 60000])
            let error = await failure(client, ["INCR", .string(key)])
            #expect(error?.code == .reply)
            #expect(error?.isTransient == false)
            #expect(error?.replyPrefix == "ERR")
            #expect(await failure(client, ["LPUSH", .string(key), 1])?.replyPrefix == "WRONGTYPE")
            #expect(await failure(client, [])?.code == .protocol)
            #expect(try await client.send(["GET", .string(key)]).string == "text")
        }
    }

    @Test("commands beyond the limit of commands in flight fail at once, and the others get their replies")
    @Loop func bounded() async throws {
        var limits = patientLimits()
        limits.outstandingCommands = 10_000
        try await withClient(limits: limits) { client async throws in
            var answered = 0
            var refused = 0
            for number in 0..<12_000 {
                client.send(["ECHO", .integer(number)]) { result in
                    switch result {
                    case .success(let value): answered += value.string == "\(number)" ? 1 : 0
                    case .failure(let error): refused += error.code == .unavailable ? 1 : 0
                    }
                }
            }
            #expect(refused == 2000)
            #expect(try await eventually { answered == 10_000 })
            #expect(try await client.send(["PING"]) == .status("PONG"))
        }
    }

    @Test("a command that is sent while too many bytes are waiting fails at once")
    @Loop func boundedBytes() async throws {
        var limits = patientLimits()
        limits.outstandingBytes = 1000
        try await withClient(limits: limits) { client async throws in
            var first: RedisValue?
            var second: RedisError?
            client.send(["ECHO", .bytes([UInt8](repeating: 1, count: 2000))]) { first = try? $0.get() }
            client.send(["PING"]) { if case .failure(let error) = $0 { second = error } }
            #expect(second?.code == .unavailable)
            #expect(try await eventually { first?.bytes?.count == 2000 })
        }
    }

    @Test("the connection has the client's name, with a dash for each space, and uses the database of its address")
    @Loop func session() async throws {
        let client = try makeClient(try redisURL(), name: "warren post #1")
        var connects = 0
        client.onConnect = { connects += 1 }
        async let running: Void = client.run()
        #expect(try await eventually { client.isConnected })
        #expect(connects == 1)
        #expect(try await client.send(["CLIENT", "GETNAME"]).string == "warren-post-#1")
        let database = try RedisAddress(url: try redisURL()).database
        #expect(try await client.send(["CLIENT", "INFO"]).string?.contains(" db=\(database) ") == true)
        await client.close()
        await running
    }

    /// Returns eight million bytes. They repeat after 8000 bytes and not after a power of two, so that a buffer that
    /// was sent twice or left out would change the value.
    private func largeValue() -> [UInt8] {
        let piece = (0..<8000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        var value: [UInt8] = []
        for _ in 0..<1000 { value += piece }
        return value
    }
}
