internal import Synchronization

/// Limits how often a log line is written that a client can cause at will, so that a flood of requests does not become
/// a flood of log lines.
package final class LogSampler: Sendable {
    private struct Window {
        var start: ContinuousClock.Instant
        var written = 0
        var omitted = 0
    }

    private let limit: Int
    private let window: Mutex<Window>

    /// - Parameter limit: the maximum number of lines a second.
    package init(limit: Int, now: ContinuousClock.Instant = .now) {
        self.limit = limit
        window = Mutex(Window(start: now))
    }

    /// Decides whether to write a line.
    ///
    /// - Returns: the number of lines that were omitted since the last one that was written; `nil` if this line must be
    ///   omitted as well.
    package func admit(at now: ContinuousClock.Instant = .now) -> Int? {
        window.withLock { window in
            if now - window.start >= .seconds(1) { (window.start, window.written) = (now, 0) }
            guard window.written < limit else {
                window.omitted += 1
                return nil
            }
            window.written += 1
            defer { window.omitted = 0 }
            return window.omitted
        }
    }
}
