/// The ladder of delays that a failed delivery climbs before it is given up.
package enum RetryStep: String, Sendable, Hashable, CaseIterable {
    case oneSecond = "1s"
    case fiveSeconds = "5s"
    case thirtySeconds = "30s"
    case fiveMinutes = "5m"

    /// How long a delivery waits at this step.
    package var delay: Duration {
        switch self {
        case .oneSecond: .seconds(1)
        case .fiveSeconds: .seconds(5)
        case .thirtySeconds: .seconds(30)
        case .fiveMinutes: .seconds(300)
        }
    }

    /// The delay queue: `retry.1s`.
    package var queue: String { "retry." + rawValue }

    /// The routing key by which a delivery of that queue comes to wait, and later finds back: `1s.post.commands`.
    package func routingKey(backTo queue: String) -> String {
        rawValue + "." + queue
    }

    /// The step after that many failures (the first failure is 1); none where it is time to give up.
    package static func afterFailure(_ count: Int) -> RetryStep? {
        let steps = allCases
        return (1...steps.count).contains(count) ? steps[count - 1] : nil
    }
}
