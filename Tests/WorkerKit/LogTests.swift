import Contracts
import Foundation
import Logging
import Synchronization
import Testing

@testable import JSONLogging

@Suite("JSON log lines")
struct LogTests {
    private struct DescribedError: Error, CustomStringConvertible {
        let description: String
    }

    /// Returns the line of a log event.
    private func logLine(
        _ message: Logger.Message = "handled", _ metadata: Logger.Metadata? = nil, loggerMetadata: Logger.Metadata = [:]
    ) -> [UInt8] {
        var handler = JSONLogHandler(service: "post", level: .info, to: LogWriter(STDERR_FILENO) { _ in [] })
        handler.metadata = loggerMetadata
        return handler.line(
            for: LogEvent(
                level: .warning, message: message, metadata: metadata, source: "s", file: "f", function: "g", line: 1))
    }

    private func parsed(_ bytes: [UInt8]) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    @Test(
        "text from a client stays within one log line, and its control characters are escaped",
        arguments: [
            "a\nb", "a\r\nb", "\u{1b}[2J\u{1b}[31mred", "\"}\n{\"level\":\"info\"", "\\\"", "\u{0}", "\u{7f}",
            "\u{9b}31m",
            "\u{85}next line", "\u{2028}line\u{2029}paragraph", "\u{202e}backwards", "\t\u{8}\u{c}", "\\u000a",
            String(repeating: "x", count: 100_000), "💥", "e\u{301}",
        ])
    func forged(_ text: String) throws {
        for bytes in [
            logLine("handled", ["type": .string(text)]), logLine("\(text)"),
            logLine(loggerMetadata: ["request-id": .string(text)]),
            logLine("handled", ["list": .array([.string(text), .dictionary([text: .string(text)])])]),
            logLine("handled", ["other": .stringConvertible(DescribedError(description: text))]),
            logLine("handled", [text: "value"]),
        ] {
            #expect(bytes.last == UInt8(ascii: "\n"))
            let line = String(decoding: bytes.dropLast(), as: UTF8.self)
            let controlCharacters = line.unicodeScalars.filter {
                $0.properties.generalCategory == .control || $0.properties.generalCategory == .lineSeparator
                    || $0.properties.generalCategory == .paragraphSeparator
                    || $0.properties.generalCategory == .format
            }
            #expect(controlCharacters.isEmpty)
            _ = try parsed(bytes)
        }
        let decoded = try parsed(logLine("handled", ["type": .string(text)]))
        #expect((decoded["type"] as? String)?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
    }

    @Test("a log line has the time, level, service, message and metadata of every type")
    func kinds() throws {
        let line = try parsed(
            logLine(
                "handled",
                [
                    "text": "a", "number": .stringConvertible(42), "fraction": .stringConvertible(1.5),
                    "list": ["a", ["b"]], "object": ["k": "v", "n": .stringConvertible(-1)],
                ]))
        #expect(line["level"] as? String == "warning")
        #expect(line["service"] as? String == "post")
        #expect(line["message"] as? String == "handled")
        #expect(Timestamp(text: line["time"] as? String ?? "") != nil)
        #expect(line["text"] as? String == "a")
        #expect(line["number"] as? Int == 42)
        #expect(line["fraction"] as? Double == 1.5)
        #expect((line["list"] as? [Any])?.count == 2)
        #expect((line["object"] as? [String: Any])?["n"] as? Int == -1)
    }

    @Test("a metadata key of both the logger and the event is written once, with the event's value")
    func merged() throws {
        let bytes = logLine("handled", ["a": "event"], loggerMetadata: ["a": "logger", "b": "logger"])
        let line = try parsed(bytes)
        #expect(line["a"] as? String == "event")
        #expect(line["b"] as? String == "logger")
        #expect(String(decoding: bytes, as: UTF8.self).components(separatedBy: "\"a\"").count == 2)
    }

    @Test("the description of an error cannot forge a log line")
    func error() throws {
        let handler = JSONLogHandler(service: "post", level: .info, to: LogWriter(STDERR_FILENO) { _ in [] })
        var event = LogEvent(
            level: .error, message: "failed", metadata: nil, source: "s", file: "f", function: "g", line: 1)
        event.error = DescribedError(description: "a\n{\u{1b}")
        let line = handler.line(for: event)
        #expect(line.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect(try parsed(line)["error"] as? String == "a\n{\u{1b}")
    }
}
