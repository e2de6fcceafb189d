import ChaosKit
import Contracts
import Reactor

/// A fault: how it is caused and removed, and what may happen meanwhile.
struct Fault: Sendable {
    /// A server or group of processes that a fault attacks. Two faults with a common target never run together.
    enum Target: Sendable, Hashable {
        case broker, postgres, redis, mediaHost, workers, ingress, load
    }

    typealias Attack = @Loop @Sendable (World, FaultRun) async throws -> Void

    let name: String
    /// What the fault does, for the list of all faults.
    let summary: String
    let targets: Set<Target>
    /// What must work so that the fault can be caused and removed. No other fault may attack it at the same time.
    var needs: Set<Target> = []
    /// The services whose requests may get a 5xx or no response while the fault lasts. All other requests must succeed.
    var affected: Set<ServiceName> = []
    /// The services whose commands may get a 202 while the fault lasts, besides the affected ones.
    var delayed: Set<ServiceName> = []
    /// How long after the end of the fault the affected services may need until a request succeeds.
    var recovery: Duration = .seconds(10)
    /// The time after the beginning of the fault from which each request that fails must fail within a second; `nil` if
    /// requests may wait.
    var detection: Duration?
    /// The maximum time of a request that begins while the fault lasts; `nil` if requests may wait.
    var maximumLatency: Duration?
    /// Whether clients may get a 429, because the fault is the load itself.
    var allowsTooManyRequests = false
    /// Whether a command may be given up, with a 500 and the code `command-failed`.
    var failsCommands = false
    /// Whether commands that got a 202 may be lost, because the fault deletes the queue in which they wait.
    var losesQueuedCommands = false
    /// Whether the suite must run as root to cause the fault.
    var needsRoot = false
    let attack: Attack

    /// The targets and needs by name, for the plan.
    var demands: ChaosPlan.Demands {
        ChaosPlan.Demands(targets: Set(targets.map { "\($0)" }), needs: Set(needs.map { "\($0)" }))
    }

    static let allServices = Set(ServiceName.allCases)
}

/// One occurrence of a fault.
@Loop final class FaultRun {
    let fault: Fault
    /// The length of outages that are meant to be long.
    let longOutage: Duration
    private(set) var began: ContinuousClock.Instant
    /// When the cause was removed; `nil` while the fault lasts.
    private(set) var ended: ContinuousClock.Instant?
    /// Promises that the fault itself has seen broken.
    private(set) var findings: [String] = []
    /// The dead letters that the fault has caused on purpose, by queue.
    var deadLetters: [String: Int] = [:]

    init(_ fault: Fault, longOutage: Duration) {
        self.fault = fault
        self.longOutage = longOutage
        began = .now
    }

    /// Notes that the fault begins now.
    func begin() { began = .now }

    /// Notes that the cause is removed now. From now on, the services must recover.
    func end() { ended = .now }

    /// Causes the fault, runs a body while it lasts, and removes its cause, also if the body fails or is cancelled.
    ///
    /// - Parameters:
    ///   - cause: begins the fault.
    ///   - undo: removes the cause. It must not fail if `cause` has failed.
    ///   - body: waits, or watches what happens.
    func perform(
        cause: @Loop () async throws -> Void, undo: @escaping @Loop @Sendable () async throws -> Void,
        _ body: @Loop () async throws -> Void
    ) async throws {
        begin()
        try await undoing(undo) {
            try await cause()
            try await body()
        }
        end()
    }

    func require(_ condition: Bool, _ finding: @autoclosure () -> String) {
        if !condition { findings.append(finding()) }
    }
}

/// Runs a body, and undoes its effect afterwards, also if the body fails or is cancelled.
@Loop func undoing(
    _ undo: @escaping @Loop @Sendable () async throws -> Void, _ body: @Loop () async throws -> Void
) async throws {
    let result: Result<Void, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    // A task of its own is not cancelled when a fault that runs at the same time fails.
    let undone = Task { try await undo() }
    do {
        try await undone.value
    } catch {
        try result.get()
        throw error
    }
    try result.get()
}
