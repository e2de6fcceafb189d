import Reactor
import TestSupport
import Testing

@testable import Redis

@Suite("Redis scripts", .timeLimit(.minutes(2)))
struct ScriptTests {
    @Test("a Redis script receives its keys and arguments in the first and in later calls")
    @Loop func keysAndArguments() async throws {
        let script = RedisScript("return {KEYS[1], ARGV[1], #ARGV, tonumber(ARGV[2]) + 1}")
        try await withClient { client async throws in
            for _ in 0..<3 {
                let value = try await client.run(script, keys: ["k"], arguments: [.bytes([0, 255]), 41])
                #expect(value == .array([.bytes(Array("k".utf8)), .bytes([0, 255]), .integer(2), .integer(42)]))
            }
        }
    }

    @Test("each call runs a Redis script once, even if the server no longer has the script")
    @Loop func unknownScript() async throws {
        let key = freshKey()
        let script = RedisScript("-- \(key)\nreturn redis.call('INCRBY', KEYS[1], ARGV[1])")
        try await withClient { client async throws in
            #expect(try await client.run(script, keys: [.string(key)], arguments: [1]) == .integer(1))
            #expect(try await client.run(script, keys: [.string(key)], arguments: [1]) == .integer(2))
            // The server has no script with this digest. The scripts of a server are not flushed here, because other
            // tests use it, too.
            script.digest = String(repeating: "0", count: 40)
            var seen: [Int?] = []
            for _ in 0..<10 {
                client.run(script, keys: [.string(key)], arguments: [1]) { seen.append((try? $0.get())?.integer) }
            }
            #expect(try await eventually { seen.count == 10 })
            #expect(seen.compactMap(\.self).sorted() == Array(3...12))
            _ = try await client.send(["DEL", .string(key)])
        }
    }

    @Test("a Redis script that fails or does not compile throws an error with the code .reply")
    @Loop func faults() async throws {
        try await withClient { client async throws in
            for source in ["return redis.error_reply('MINE all mine')", "this is no Lua"] {
                let script = RedisScript(source)
                for _ in 0..<2 {
                    await #expect {
                        try await client.run(script)
                    } throws: {
                        ($0 as? RedisError)?.code == .reply
                    }
                }
            }
        }
    }
}
