internal import Contracts
internal import Glibc
package import Logging

/// Writes each log event to standard error as one line of JSON. Text from a client cannot forge a log line.
package struct JSONLogHandler: LogHandler {
    /// The metadata that the logger adds to each of its lines.
    package var metadata: Logger.Metadata = [:]
    /// The lowest level that is written.
    package var logLevel: Logger.Level
    private let service: String
    private let writer: LogWriter

    /// Makes a handler that writes the service's name into every line.
    package init(service: String, level: Logger.Level, to writer: LogWriter) {
        self.service = service
        self.writer = writer
        logLevel = level
    }

    /// Makes a writer of the lines of a service to standard error. A process makes only one.
    package static func standardError(service: String) -> LogWriter {
        LogWriter(STDERR_FILENO) { count in
            var line = JSONWriter(capacity: 128)
            line.object { line in
                write("time", Timestamp.now().text, to: &line)
                write("level", Logger.Level.warning.rawValue, to: &line)
                write("service", service, to: &line)
                write("message", "log lines dropped, because the log is not read fast enough", to: &line)
                line.name("count")
                line.integer(count)
            }
            return line.bytes + [UInt8(ascii: "\n")]
        }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        writer.append(line(for: event))
    }

    /// Returns the line of an event, with its line feed.
    func line(for event: LogEvent) -> [UInt8] {
        var line = JSONWriter(capacity: 256)
        line.object { line in
            Self.write("time", Timestamp.now().text, to: &line)
            Self.write("level", event.level.rawValue, to: &line)
            Self.write("service", service, to: &line)
            Self.write("message", event.message.description, to: &line)
            for (key, value) in metadata where event.metadata?[key] == nil { Self.write(key, value, to: &line) }
            for (key, value) in event.metadata ?? [:] { Self.write(key, value, to: &line) }
            if let error = event.error { Self.write("error", "\(error)", to: &line) }
        }
        var bytes = Self.escaping(line.bytes)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    private static func write(_ key: String, _ value: String, to line: inout JSONWriter) {
        line.name(key)
        line.string(value)
    }

    private static func write(_ key: String, _ value: Logger.Metadata.Value, to line: inout JSONWriter) {
        line.name(key)
        write(value, to: &line)
    }

    private static func write(_ value: Logger.Metadata.Value, to line: inout JSONWriter) {
        switch value {
        case .string(let text): line.string(text)
        case .stringConvertible(let number as Int): line.integer(number)
        case .stringConvertible(let number as Double): line.double(number)
        case .stringConvertible(let other): line.string(other.description)
        case .array(let values): line.array(of: values) { write($1, to: &$0) }
        case .dictionary(let values):
            line.object { line in
                for (key, value) in values { write(key, value, to: &line) }
            }
        }
    }
}
