internal import AMQP
internal import Reactor

/// Messages that are published together, and the broker's answer to each message.
@Loop final class PublishedBatch {
    private var answers: [Result<Void, PublishError>]
    private var unansweredCount: Int
    private let waiter = Waiter<Void>()

    /// Publishes the messages with publisher confirms.
    init(_ messages: [OutgoingMessage], through publisher: Publisher) {
        let unknown = PublishError(.outcomeUnknown, "there was no confirm before the time limit or the cancellation")
        answers = Array(repeating: .failure(unknown), count: messages.count)
        unansweredCount = messages.count
        for (index, message) in messages.enumerated() {
            do {
                try publisher.publish(message) { self.settle(index, $0) }
            } catch {
                settle(index, .failure(error))
            }
        }
    }

    /// Waits until the broker has confirmed or refused every message, until the time limit passes, or until the task is
    /// cancelled.
    ///
    /// - Returns: the broker's answer to each message, in the order of the messages. For a message without an answer,
    ///   the result is a `PublishError` with the code `outcomeUnknown`.
    func results(within limit: Duration) async -> [Result<Void, PublishError>] {
        if unansweredCount > 0 { _ = await waiter.wait(until: .now + limit) }
        return answers
    }

    private func settle(_ index: Int, _ result: Result<Void, PublishError>) {
        answers[index] = result
        unansweredCount -= 1
        if unansweredCount == 0 { waiter.resume() }
    }
}
