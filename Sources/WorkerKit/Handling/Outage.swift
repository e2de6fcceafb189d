internal import Logging
internal import Reactor

/// Holds the messages of a worker that cannot be carried out because a dependency is not available.
///
/// The absence of a dependency is not a failure of a message, so a held message is not counted as failed. From time to
/// time, one of the held messages is carried out again. If it no longer fails because of the dependency, the outage is
/// over, and all held messages are carried out again.
@Loop final class Outage {
    /// How a held message continues.
    enum Turn: Sendable {
        /// The message must be carried out again. The caller then calls ``attemptEnded()``.
        case retry
        /// The deadline passed.
        case expired
        /// The worker stops.
        case closed
    }

    private let dependency: Dependency
    private let log: Logger
    /// Called when the outage begins or ends.
    var onChange: (@Loop () -> Void)?
    /// When the outage began; `nil` if the dependency is available, as far as is known.
    private var began: ContinuousClock.Instant? {
        didSet { onChange?() }
    }
    private var held: [Waiter<Turn>] = []
    /// The number of messages that were held and are being carried out again.
    private var attempts = 0
    private var backoff = Backoff(.milliseconds(200) ... .seconds(2))
    private var timer: LoopTimer?
    private var isClosed = false
    /// The number of outages that have ended.
    private(set) var endedCount = 0

    init(of dependency: Dependency, log: Logger) {
        self.dependency = dependency
        self.log = log
    }

    /// Whether messages wait for the dependency.
    var isActive: Bool { began != nil }

    /// Holds a message that failed because the dependency is not available.
    ///
    /// - Parameters:
    ///   - error: the error of the message.
    ///   - deadline: the time at which the wait ends.
    func hold(_ error: any Error, until deadline: ContinuousClock.Instant) async -> Turn {
        guard !isClosed else { return .closed }
        if began == nil {
            began = .now
            log.warning(
                "a dependency is not available; messages that need it are held",
                metadata: ["dependency": "\(dependency)", "error": "\(error)"])
        }
        let waiter = Waiter<Turn>()
        held.append(waiter)
        if timer == nil { scheduleProbe() }
        return await waiter.waitThroughCancellation(until: deadline) ?? .expired
    }

    /// Records that a message that was held was carried out again, whatever the result was, or cannot be.
    func attemptEnded() {
        attempts -= 1
    }

    /// Ends the outage if no message is held or carried out again, because nothing would detect its end. The next
    /// message that fails begins a new one. Called when a message that was held will not be held again.
    func endIfUnknown() {
        held.removeAll { $0.isEnded }
        guard held.isEmpty, attempts == 0, isActive else { return }
        timer?.cancel()
        timer = nil
        began = nil
        backoff.reset()
    }

    /// Ends the outage: a message that needs the dependency was carried out.
    func end() {
        guard let began else { return }
        self.began = nil
        endedCount += 1
        backoff.reset()
        timer?.cancel()
        timer = nil
        log.notice(
            "the dependency is available again",
            metadata: ["dependency": "\(dependency)", "after": "\(ContinuousClock.now - began)"])
        release(.retry)
    }

    /// Ends the waits of all held messages with `.expired`.
    func releaseHeld() { release(.expired) }

    /// Ends all waits, now and in the future.
    func close() {
        isClosed = true
        timer?.cancel()
        release(.closed)
    }

    private func release(_ turn: Turn) {
        let waiters = held
        held = []
        for waiter in waiters { resume(waiter, turn) }
    }

    private func resume(_ waiter: Waiter<Turn>, _ turn: Turn) {
        guard !waiter.isEnded else { return }
        if turn == .retry { attempts += 1 }
        waiter.resume(returning: turn)
    }

    /// Carries out the message that has waited longest, after a delay. Repeats this as long as the outage lasts.
    private func scheduleProbe() {
        timer = Loop.schedule(after: backoff.next()) { [weak self] in
            guard let self, self.isActive else { return }
            self.held.removeAll { $0.isEnded }
            self.timer = nil
            guard !self.held.isEmpty else { return }
            self.resume(self.held.removeFirst(), .retry)
            self.scheduleProbe()
        }
    }
}
