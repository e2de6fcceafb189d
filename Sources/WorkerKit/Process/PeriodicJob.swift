package import Reactor

/// Runs a round of work after each pause. A nudge ends a pause early.
///
/// The length of each pause is random within bounds, so that workers that start together do not work at the same time.
@Loop package final class PeriodicJob {
    private let interval: ClosedRange<Duration>
    private var isNudged = false
    private var waiter: Waiter<Void>?

    /// Whether ``close()`` was called. A long round can check this and end early.
    package private(set) var isClosed = false

    /// Makes a job.
    ///
    /// - Parameter interval: the shortest and the longest pause.
    package init(every interval: ClosedRange<Duration>) {
        self.interval = interval
    }

    /// Runs a round after each pause, until the job is closed or the task is cancelled.
    package func run(_ round: @Loop () async -> Void) async {
        while await pause() { await round() }
    }

    /// Starts the next round at once, or as soon as the running round ends.
    package func nudge() {
        isNudged = true
        waiter?.resume()
    }

    /// Discards the nudges so far. A round calls this if its remaining work includes the work of these nudges.
    package func absorbNudges() {
        isNudged = false
    }

    /// Ends ``run(_:)`` after the running round.
    package func close() {
        isClosed = true
        waiter?.resume()
    }

    /// Returns a random length for a pause.
    func length() -> Duration {
        interval.lowerBound + (interval.upperBound - interval.lowerBound) * Double.random(in: 0...1)
    }

    /// Waits for the end of a pause.
    ///
    /// - Returns: whether another round must run.
    private func pause() async -> Bool {
        if !isNudged, !isClosed {
            let waiter = Waiter<Void>()
            self.waiter = waiter
            _ = await waiter.wait(until: .now + length())
            self.waiter = nil
        }
        isNudged = false
        return !isClosed && !Task.isCancelled
    }
}
