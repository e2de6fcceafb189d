internal import AMQP
internal import Reactor

/// Messages published in one go, and what became of each.
@Loop final class PublishedBatch {
    private var settled: [Result<Void, PublishError>]
    private var left: Int
    private var isOver = false
    private var continuation: CheckedContinuation<Void, Never>?

    /// Publishes the messages, each to be confirmed by the broker.
    init(_ messages: [OutgoingMessage], through publisher: Publisher) {
        settled = Array(repeating: .failure(PublishError(.outcomeUnknown, "no confirm in time")), count: messages.count)
        left = messages.count
        for (index, message) in messages.enumerated() {
            do {
                try publisher.publish(message) { self.settle(index, $0) }
            } catch {
                settle(index, .failure(error))
            }
        }
    }

    /// What became of each, once the broker has said so of all.
    ///
    /// - Parameter limit: how long to wait for that; what is open then, or when the task is cancelled, has the result
    ///   ``PublishError/outcomeUnknown``.
    func results(within limit: Duration) async -> [Result<Void, PublishError>] {
        let timer = Loop.schedule(after: limit) { self.end() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if left == 0 || isOver { continuation.resume() } else { self.continuation = continuation }
            }
        } onCancel: {
            Loop.perform { self.end() }
        }
        timer.cancel()
        return settled
    }

    private func settle(_ index: Int, _ result: Result<Void, PublishError>) {
        settled[index] = result
        left -= 1
        if left == 0 { end() }
    }

    private func end() {
        isOver = true
        continuation?.resume()
        continuation = nil
    }
}
