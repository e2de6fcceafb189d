/// A step of the retry ladder: the delay before a failed delivery is tried again.
package enum RetryStep: String, Sendable, Hashable, CaseIterable {
    case oneSecond = "1s"
    case fiveSeconds = "5s"
    case thirtySeconds = "30s"
    case fiveMinutes = "5m"

    /// The delay.
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

    /// Returns the routing key that leads a delivery to this step and then back to its queue, for example
    /// `1s.post.commands`.
    package func routingKey(backTo queue: String) -> String {
        rawValue + "." + queue
    }

    /// Returns the step after a failure.
    ///
    /// - Parameter count: the number of failures so far, including this one.
    /// - Returns: `nil` if the delivery becomes a dead letter.
    package static func afterFailure(_ count: Int) -> RetryStep? {
        let steps = allCases
        return (1...steps.count).contains(count) ? steps[count - 1] : nil
    }
}
