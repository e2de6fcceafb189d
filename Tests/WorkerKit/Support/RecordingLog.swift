import Logging
import Synchronization

/// Records log lines.
final class RecordingLog: Sendable {
    struct Line: Sendable {
        let level: Logger.Level
        let message: String
        let metadata: [String: String]
    }

    private let recorded = Mutex<[Line]>([])

    var lines: [Line] { recorded.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in RecordingHandler(log: self) } }

    fileprivate func append(_ line: Line) {
        recorded.withLock { $0.append(line) }
    }
}

private struct RecordingHandler: LogHandler {
    let log: RecordingLog
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let metadata = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
        log.append(RecordingLog.Line(level: event.level, message: event.message.description, metadata: metadata))
    }
}
