/// A step of the retry ladder: one of the four delays after which a failed delivery is tried again. The cases are in
/// the order of the steps.
package enum RetryStep: String, Sendable, Hashable, CaseIterable {
    case oneSecond = "1s"
    case fiveSeconds = "5s"
    case thirtySeconds = "30s"
    case fiveMinutes = "5m"

    /// The delay of a message that has waited in a worker for a dependency for a long time.
    package static let postponed = RetryStep.thirtySeconds

    package var delay: Duration {
        switch self {
        case .oneSecond: .seconds(1)
        case .fiveSeconds: .seconds(5)
        case .thirtySeconds: .seconds(30)
        case .fiveMinutes: .seconds(300)
        }
    }

    /// The queue that delays deliveries, for example `retry.1s`.
    package var queue: String { "retry." + rawValue }

    /// Returns the routing key of a failed delivery, for example `1s.post.commands`. By this key, `warren.retry` routes
    /// the delivery to the delay queue of this step, and `warren.requeue` then routes it back to its own queue.
    package func routingKey(backTo queue: String) -> String {
        rawValue + "." + queue
    }

    /// Returns the step that follows a failure; `nil` if the delivery becomes a dead letter.
    ///
    /// - Parameter count: the number of failures so far, including this failure.
    package static func afterFailure(_ count: Int) -> RetryStep? {
        let steps = allCases
        return (1...steps.count).contains(count) ? steps[count - 1] : nil
    }
}
