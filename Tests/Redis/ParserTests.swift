import Reactor
import Testing

@testable import Redis

@Suite("Redis parser")
struct ParserTests {
    private func parse(_ text: String, chunk: Int) throws -> [RedisValue] {
        let parser = try #require(RedisParser())
        let bytes = Array(text.utf8)
        var values: [RedisValue] = []
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            let part = Array(bytes[start..<min(start + chunk, bytes.count)])
            try parser.feed(part, count: part.count)
            while let value = try parser.next() { values.append(value) }
        }
        return values
    }

    @Test("Redis replies are parsed to the same values from chunks of any size", arguments: [1, 2, 3, 7, 1000])
    func chunks(size: Int) throws {
        let text =
            "+OK\r\n:-42\r\n$5\r\na\r\nb\0\r\n$-1\r\n*-1\r\n*0\r\n$0\r\n\r\n*3\r\n:1\r\n*2\r\n-ERR no\r\n$-1\r\n*0\r\n-BAD\r\n"
        #expect(
            try parse(text, chunk: size) == [
                .status("OK"), .integer(-42), .bytes(Array("a\r\nb\0".utf8)), .null, .null, .array([]), .bytes([]),
                .array([.integer(1), .array([.error("ERR no"), .null]), .array([])]), .error("BAD"),
            ])
    }

    @Test(
        "parsing throws a protocol error for data that is not a Redis reply and for arrays nested too deeply",
        arguments: ["HTTP/1.1 400 Bad Request\r\n", "?\r\n", String(repeating: "*1\r\n", count: 50)])
    func foreign(text: String) {
        #expect { try parse(text, chunk: 1000) } throws: { ($0 as? RedisError)?.code == .protocol }
    }

    @Test("the parser waits for the rest of a Redis reply that states a huge size")
    func hugeCounts() throws {
        #expect(try parse("*2000000000\r\n:1\r\n", chunk: 1000) == [])
        #expect(try parse("$500000000\r\nabc", chunk: 1000) == [])
    }
}
