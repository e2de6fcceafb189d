import ChaosKit
import Contracts
import Reactor

/// A fault: how it is caused and removed, and what may happen meanwhile.
struct Fault: Sendable {
    /// A server or group of processes that a fault attacks. Two faults with a common target never run together.
    enum Target: Sendable, Hashable {
        case broker, postgres, redis, mediaHost, workers, ingress, load
    }

    typealias Attack = @Loop @Sendable (Testbed, FaultRun) async throws -> Void

    let name: String
    /// What the fault does, for the list of all faults.
    let summary: String
    let targets: Set<Target>
    /// What must work so that the fault can be caused and removed. No other fault may attack it at the same time.
    var needs: Set<Target> = []
    /// What the fault does to requests. By default, all of them must succeed.
    var allowance = Allowance()
    /// Whether commands that got a 202 may be lost, because the fault deletes the queue in which they wait.
    var losesQueuedCommands = false
    /// How long after its end Cloudinary may still store pictures whose uploads the workers have given up; `nil` if it
    /// does not.
    var storesLate: Duration?
    /// Whether the suite must run as root to cause the fault.
    var needsRoot = false
    let attack: Attack

    /// The targets and needs by name, for the plan.
    var demands: ChaosPlan.Demands {
        ChaosPlan.Demands(targets: Set(targets.map { "\($0)" }), needs: Set(needs.map { "\($0)" }))
    }
}

extension Set<ServiceName> {
    static var all: Self { Set(ServiceName.allCases) }
}

/// One occurrence of a fault.
@Loop final class FaultRun {
    let fault: Fault
    /// The length of outages that are meant to be long.
    let longOutage: Duration
    private(set) var began: ContinuousClock.Instant
    private(set) var hasBegun = false
    /// When the cause was there; `nil` if the fault does not tell.
    private(set) var caused: ContinuousClock.Instant?
    /// When the suite began to remove the cause; `nil` while the fault lasts.
    private(set) var removalBegan: ContinuousClock.Instant?
    /// When the cause was removed; `nil` while the fault lasts.
    private(set) var ended: ContinuousClock.Instant?
    /// When a request of each kind had been served again; `nil` if that took longer than the fault allows.
    var recovered: ContinuousClock.Instant?
    /// Promises that the fault itself has seen broken.
    private(set) var findings: [String] = []
    /// The address of the ingress that the fault has killed.
    var killedIngress: String?
    /// The dead letters that the fault has caused on purpose, by queue.
    var deadLetters: [String: Int] = [:]
    /// The responses to requests of the fault itself, which the log of calls does not have, by status.
    var statuses: [Int: Int] = [:]

    init(_ fault: Fault, longOutage: Duration) {
        self.fault = fault
        self.longOutage = longOutage
        began = .now
    }

    /// Notes that the fault begins now.
    func begin() {
        began = .now
        (caused, removalBegan, ended) = (nil, nil, nil)
        hasBegun = true
    }

    /// Notes that the cause is removed now. From now on, the services must recover.
    func end() {
        removalBegan = removalBegan ?? .now
        ended = .now
    }

    /// Begins and causes the fault, runs a body while it lasts, and removes its cause, also if the body fails or is
    /// cancelled.
    ///
    /// - Parameters:
    ///   - cause: begins the fault.
    ///   - undo: removes the cause. It must not fail if `cause` has failed.
    ///   - body: waits, or watches what happens.
    func perform(
        cause: @Loop () async throws -> Void, undo: @escaping @Loop @Sendable () async throws -> Void,
        _ body: @Loop () async throws -> Void
    ) async throws {
        if !hasBegun { begin() }
        try await undoing(undo) {
            try await cause()
            self.caused = .now
            try await body()
            self.removalBegan = .now
        }
        end()
    }

    /// When the fault lasted, and what it allowed; `nil` if it has not ended.
    var window: FaultWindow? {
        guard let removalBegan, let ended else { return nil }
        var window = FaultWindow(
            fault.name, fault.allowance, began: began, caused: caused ?? began, removalBegan: removalBegan,
            ended: ended, recovered: recovered)
        window.killedIngress = killedIngress
        return window
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
