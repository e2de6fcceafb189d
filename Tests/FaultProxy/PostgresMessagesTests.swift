import TestData
import TestSupport
import Testing

@testable import FaultProxy

@Suite("PostgreSQL messages")
struct PostgresMessagesTests {
    typealias Content = PostgresMessages.Content

    /// Feeds the parts to a parser. Returns the contents that are not `other`, and the bytes of all messages.
    private func parse(
        _ parts: [[UInt8]], from peer: Peer, expectsEncryptionAnswer: Bool = false
    ) -> (contents: [Content], bytes: [UInt8]) {
        var parser = PostgresMessages(from: peer)
        if expectsEncryptionAnswer { parser.expectEncryptionAnswer() }
        var result: (contents: [Content], bytes: [UInt8]) = ([], [])
        for part in parts {
            parser.append(part)
            while let message = parser.next() {
                result.bytes += message.bytes
                if message.content != .other { result.contents.append(message.content) }
            }
        }
        return result
    }

    /// Checks the contents of a stream that arrives at once, in two parts that are split at every byte, and byte by
    /// byte.
    private func expect(
        _ contents: [Content], in stream: [UInt8], from peer: Peer, expectsEncryptionAnswer: Bool = false
    ) {
        let ways =
            [[stream], stream.map { [$0] }]
            + (1..<stream.count).map { [Array(stream[..<$0]), Array(stream[$0...])] }
        for parts in ways {
            let result = parse(parts, from: peer, expectsEncryptionAnswer: expectsEncryptionAnswer)
            #expect(result.contents == contents, "split into \(parts.map(\.count))")
            #expect(result.bytes == stream, "split into \(parts.map(\.count))")
        }
    }

    @Test("a client's statements are recognized after an SSLRequest and the startup packet, split at any byte")
    func client() {
        let stream =
            PostgresBytes.encryptionRequest + PostgresBytes.startup + PostgresBytes.parse("s1", "BEGIN")
            + PostgresBytes.run("s1") + PostgresBytes.sync + PostgresBytes.query("COMMIT")
        expect(
            [
                .encryptionRequest, .parse(statement: "s1", sql: "BEGIN"), .bind(portal: "", statement: "s1"),
                .execute(portal: ""), .sync, .query("COMMIT"),
            ], in: stream, from: .client)
    }

    @Test("a server's answers are recognized after it has refused encryption, split at any byte")
    func server() {
        let stream =
            Array("N".utf8) + PostgresBytes.message("R", [0, 0, 0, 0]) + PostgresBytes.ready + PostgresBytes.parsed
            + PostgresBytes.ran("INSERT 0 1") + PostgresBytes.failed + PostgresBytes.message("I")
            + PostgresBytes.ready
        expect(
            [
                .encryptionAnswer(isAccepted: false), .readyForQuery, .completed(tag: "INSERT 0 1"), .failed,
                .completed(tag: nil), .readyForQuery,
            ], in: stream, from: .server, expectsEncryptionAnswer: true)
    }

    @Test("after the server has accepted encryption, its bytes are forwarded without contents")
    func encrypted() {
        let stream = Array("S".utf8) + [22, 3, 1, 2, 0, 1] + PostgresBytes.ready
        let result = parse([stream], from: .server, expectsEncryptionAnswer: true)
        #expect(result.contents == [.encryptionAnswer(isAccepted: true)])
        #expect(result.bytes == stream)
    }

    @Test(
        "bytes of another protocol are all forwarded",
        arguments: [
            Array("GET / HTTP/1.1\r\n\r\n".utf8), [0, 0, 0, 8, 0, 2, 0, 0, 1, 2, 3], [0, 0, 0, 3, 0, 3, 0, 0],
            PostgresBytes.startup + [1], PostgresBytes.startup + [UInt8(ascii: "Q"), 0, 0, 0, 3, 9],
            PostgresBytes.startup + [UInt8(ascii: "Q"), 0xFF, 0xFF, 0xFF, 0xFF, 9],
        ])
    func opaque(bytes: [UInt8]) {
        #expect(parse([bytes], from: .client).bytes == bytes)
        #expect(parse(bytes.map { [$0] }, from: .client).bytes == bytes)
    }

    @Test("damaged streams are forwarded unchanged as far as they are complete, and do not trap")
    func damaged() {
        var generator = SeededGenerator(seed: 2)
        let intact =
            PostgresBytes.startup + PostgresBytes.parse("s1", "BEGIN") + PostgresBytes.run("s1") + PostgresBytes.sync
        for _ in 0..<5000 {
            var stream = intact
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                stream[Int.random(in: 0..<stream.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            for peer in Peer.allCases { #expect(stream.starts(with: parse([stream], from: peer).bytes)) }
        }
    }
}
