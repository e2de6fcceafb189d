internal import Logging
internal import Reactor

/// Carries out messages, and holds them while a dependency that they need is not available.
@Loop final class Outages {
    /// If a message fails in this many consecutive outages that ended for other messages, it counts as failed.
    private static let outagesBeforeFailure = 5

    enum Outcome {
        case carriedOut(HandlingResult)
        /// The message was held up to the limit because of this error.
        case held(any Error)
        /// The worker stops, or the delivery's connection was lost. The broker delivers the message again.
        case givenBack
    }

    private let limit: Duration
    private let log: Logger
    private var outages: [Dependency: Outage] = [:]
    private var isClosed = false
    /// Called when an outage begins or ends.
    var onChange: (@Loop () -> Void)?

    /// - Parameter limit: how long a message is held.
    init(limit: Duration, log: Logger) {
        self.limit = limit
        self.log = log
    }

    /// Whether messages are held. If `false`, they are delayed at once.
    var holdsMessages = true {
        didSet {
            if !holdsMessages { for outage in outages.values { outage.releaseHeld() } }
        }
    }

    /// The dependencies that are not available, according to the last messages that needed them.
    var missing: [Dependency] { outages.filter { $0.value.isActive }.map { $0.key } }

    /// Carries out a message. If it fails because a dependency is not available, holds it and carries it out again.
    ///
    /// A message that alone fails because of a dependency, while other messages show that the dependency is available,
    /// counts as failed.
    ///
    /// - Parameters:
    ///   - isOpen: returns whether the delivery can still be settled.
    ///   - attempt: carries out the message.
    func carryOut(isOpen: @Loop () -> Bool, attempt: @Loop () async -> HandlingResult) async -> Outcome {
        let deadline = ContinuousClock.now + limit
        var last: (outage: Outage, endedBefore: Int)?
        defer { last?.outage.endIfUnknown() }
        while true {
            let result = await attempt()
            last?.outage.attemptEnded()
            guard case .failed(let error) = result, let missing = (error as? any DependencyError)?.missingDependency
            else {
                // A message that fails for another reason may not have reached the dependency.
                if case .failed = result {} else { last?.outage.end() }
                return .carriedOut(result)
            }
            let outage = outage(of: missing)
            if let earlier = last?.outage, earlier !== outage { earlier.endIfUnknown() }
            let endedBefore =
                last.flatMap { $0.outage === outage ? $0.endedBefore : nil } ?? outage.endedCount
            if outage.endedCount - endedBefore >= Self.outagesBeforeFailure { return .carriedOut(result) }
            last = (outage, endedBefore)
            guard holdsMessages else { return .held(error) }
            switch await outage.hold(error, until: deadline) {
            case .retry where isOpen(): continue
            case .retry:
                outage.attemptEnded()
                return .givenBack
            case .expired: return .held(error)
            case .closed: return .givenBack
            }
        }
    }

    private func outage(of dependency: Dependency) -> Outage {
        if let outage = outages[dependency] { return outage }
        let outage = Outage(of: dependency, log: log)
        outage.onChange = { [weak self] in self?.onChange?() }
        if isClosed { outage.close() }
        outages[dependency] = outage
        return outage
    }

    /// Ends the outage of the database: a transaction was committed.
    func databaseAnswered() {
        outages[.database]?.end()
    }

    /// Ends all waits, now and in the future.
    func close() {
        isClosed = true
        for outage in outages.values { outage.close() }
    }
}
