internal import Logging
internal import Reactor

/// Carries out messages, and holds them while a dependency that they need is not available.
@Loop final class Outages {
    /// A message that has failed because of a dependency in this many outages, each of which ended for other messages,
    /// is itself the cause.
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

    /// The dependencies that are not available, as far as messages have needed them.
    var missing: [Dependency] { outages.filter { $0.value.isActive }.map { $0.key } }

    /// Carries out a message as often as a dependency that it needs is not available, and holds it between the
    /// attempts.
    ///
    /// A message that alone fails because of a dependency, while other messages show that the dependency is available,
    /// counts as failed.
    ///
    /// - Parameters:
    ///   - isOpen: returns whether the delivery can still be settled.
    ///   - usesDatabase: whether a reply shows that the database is available.
    ///   - attempt: carries out the message.
    func carryOut(
        isOpen: @Loop () -> Bool, usesDatabase: Bool, attempt: @Loop () async -> HandlingResult
    ) async -> Outcome {
        let deadline = ContinuousClock.now + limit
        var last: (outage: Outage, endedBefore: Int)?
        while true {
            let result = await attempt()
            guard case .failed(let error) = result, let missing = (error as? any DependencyError)?.missingDependency
            else {
                last?.outage.end()
                if usesDatabase, case .reply = result { outages[.database]?.end() }
                return .carriedOut(result)
            }
            let outage = outage(of: missing)
            if let previous = last, previous.outage !== outage {
                previous.outage.end()
                last = nil
            }
            let endedBefore = last?.endedBefore ?? outage.endedCount
            if outage.endedCount - endedBefore >= Self.outagesBeforeFailure { return .carriedOut(result) }
            last = (outage, endedBefore)
            switch await outage.hold(error, until: deadline) {
            case .retry where isOpen(): continue
            case .expired: return .held(error)
            case .retry, .closed: return .givenBack
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

    /// Ends the waits of all held messages as if the limit had passed.
    func releaseHeld() {
        for outage in outages.values { outage.releaseHeld() }
    }

    /// Ends all waits, now and in the future.
    func close() {
        isClosed = true
        for outage in outages.values { outage.close() }
    }
}
