internal import Reactor

/// One wait that ends when it is told to, when its time is over or when its task is cancelled, whichever comes first.
@Loop final class Interruption {
    private var continuation: CheckedContinuation<Void, Never>?
    private var timer: LoopTimer?
    private var isFinished = false

    func finish() {
        isFinished = true
        timer?.cancel()
        timer = nil
        continuation?.resume()
        continuation = nil
    }

    /// - Parameter limit: how long at most; nil waits for as long as it takes.
    func wait(atMost limit: Duration? = nil) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard !isFinished else { return continuation.resume() }
                self.continuation = continuation
                if let limit { timer = Loop.schedule(after: limit) { self.finish() } }
            }
        } onCancel: {
            Loop.perform { self.finish() }
        }
    }
}
