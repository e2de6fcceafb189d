internal import AMQP
internal import Reactor

/// Messages that are published together, and the broker's answer to each.
@Loop final class PublishedBatch {
    private var answers: [Result<Void, PublishError>]
    private var open: Int
    private let waiter = Waiter<Void>()

    /// Publishes the messages with publisher confirms.
    init(_ messages: [OutgoingMessage], through publisher: Publisher) {
        let unknown = PublishError(.outcomeUnknown, "no confirm in time")
        answers = Array(repeating: .failure(unknown), count: messages.count)
        open = messages.count
        for (index, message) in messages.enumerated() {
            do {
                try publisher.publish(message) { self.settle(index, $0) }
            } catch {
                settle(index, .failure(error))
            }
        }
    }

    /// Waits until the broker has confirmed or refused every message, the time limit passes or the task is cancelled.
    ///
    /// - Returns: the answer to each message, in their order; without one, a `PublishError` with the code
    ///   `outcomeUnknown`.
    func results(within limit: Duration) async -> [Result<Void, PublishError>] {
        if open > 0 { _ = await waiter.wait(until: .now + limit) }
        return answers
    }

    private func settle(_ index: Int, _ result: Result<Void, PublishError>) {
        answers[index] = result
        open -= 1
        if open == 0 { waiter.resume() }
    }
}
