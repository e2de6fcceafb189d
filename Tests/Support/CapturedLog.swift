package import Logging
internal import Synchronization

/// Collects the events that a logger receives.
package final class CapturedLog: Sendable {
    /// An event, with the metadata that it was logged with.
    package struct Event: Sendable {
        package let level: Logger.Level
        package let message: String
        package let metadata: Logger.Metadata
    }

    private let captured = Mutex<[Event]>([])

    package init() {}

    package var events: [Event] { captured.withLock { $0 } }

    /// The events as text, one line each.
    package var text: String { events.map { "\($0.message) \($0.metadata)" }.joined(separator: "\n") }

    /// Returns a logger with a minimum level. Its events are collected here.
    package func logger(_ level: Logger.Level) -> Logger {
        Logger(label: "captured") { _ in Handler(log: self, logLevel: level) }
    }

    private struct Handler: LogHandler {
        let log: CapturedLog
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let captured = Event(level: event.level, message: "\(event.message)", metadata: event.metadata ?? [:])
            log.captured.withLock { $0.append(captured) }
        }
    }
}

extension Logger {
    /// Discards all messages.
    package static let quiet = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
}
