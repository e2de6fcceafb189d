import FoundationEssentials
import Glibc
import Logging

/// Writes each log event to standard error as one line of JSON.
struct JSONLogHandler: LogHandler {
    let service: String
    var logLevel = Logger.Level.info
    var metadata = Logger.Metadata()

    init(service: String) {
        self.service = service
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues(\.description)
        fields["time"] = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        fields["level"] = event.level.rawValue
        fields["service"] = service
        fields["message"] = event.message.description
        guard var line = try? JSON.encode(fields) else { return }
        line.append(UInt8(ascii: "\n"))
        // One write for the whole line, so that lines of different threads do not mix.
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
