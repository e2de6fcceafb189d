import Logging
import Synchronization

/// Keeps the warnings and errors of a driver: only they have the broker's reason for closing a connection.
final class CapturedLog: Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    /// A logger whose lines are kept here.
    var logger: Logger {
        Logger(label: "captured") { _ in Handler(log: self) }
    }

    private func append(_ line: String) {
        lines.withLock { $0.append(line) }
    }

    private struct Handler: LogHandler {
        let log: CapturedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.warning

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.append("\(event.message) \(event.metadata ?? [:])")
        }
    }
}
