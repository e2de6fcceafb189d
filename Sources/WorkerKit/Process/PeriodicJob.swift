package import Reactor

/// The pace of what a process does now and then: a round, then a pause until the next, which a nudge cuts short.
///
/// How long each pause is, chance decides within bounds, so that the workers of a service that start together do not all come
/// for the same work together.
@Loop package final class PeriodicJob {
    private let interval: ClosedRange<Duration>
    private var isNudged = false
    private var waiting: CheckedContinuation<Void, Never>?

    /// Whether it has been told to end; a round may then be cut short.
    package private(set) var isClosed = false

    /// Makes a job whose pauses are as long as the interval allows.
    package init(every interval: ClosedRange<Duration>) {
        self.interval = interval
    }

    /// Does a round after each pause, until it is closed or its task is cancelled: no round begins then.
    package func run(_ round: @Loop () async -> Void) async {
        while await pause() { await round() }
    }

    /// Has the next round begin at once, or as soon as the one that is under way has ended.
    package func nudge() {
        isNudged = true
        wake()
    }

    /// Takes back the nudges so far: what the round does from now on serves them too.
    package func absorbNudges() {
        isNudged = false
    }

    /// Lets `run` end, once the round that is under way has ended.
    package func close() {
        isClosed = true
        wake()
    }

    /// How long a pause is that begins now.
    func length() -> Duration {
        interval.lowerBound + (interval.upperBound - interval.lowerBound) * Double.random(in: 0...1)
    }

    /// - Returns: whether another round is to be done.
    private func pause() async -> Bool {
        if !isNudged, !isClosed {
            let timer = Loop.schedule(after: length()) { self.wake() }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    // The nudge, the close or the cancellation may have come before there was anyone to wake.
                    let isDue = isNudged || isClosed || Task.isCancelled
                    if isDue { continuation.resume() } else { waiting = continuation }
                }
            } onCancel: {
                Loop.perform { self.wake() }
            }
            timer.cancel()
        }
        isNudged = false
        return !isClosed && !Task.isCancelled
    }

    private func wake() {
        waiting?.resume()
        waiting = nil
    }
}
