package import Contracts

/// What a fault does to the requests of clients.
package struct Allowance: Sendable {
    /// The services whose requests may get 503, 504 or 202 while the fault lasts. All other requests must succeed.
    package let affected: Set<ServiceName>
    /// The services whose commands may get a 202 while the fault lasts, besides the affected ones.
    package let delayed: Set<ServiceName>
    /// How long after the end of the fault the affected services may need until a request succeeds.
    package let recovery: Duration
    /// From this time after the cause on, a failing request must fail within 1 s; `nil` if requests may wait.
    package let detection: Duration?
    /// The maximum time of a request that begins while the fault lasts; `nil` if requests may wait.
    package let maximumLatency: Duration?
    /// Whether clients may get a 429.
    package let allowsTooManyRequests: Bool
    /// A call that shows that the fault had an effect; `nil` if the fault checks its effect itself.
    package let evidence: Evidence?

    /// A kind of call that must occur while a fault lasts. Otherwise the fault had no effect, and its episode shows
    /// nothing.
    package enum Evidence: Sendable {
        /// A call that got one of these statuses; `nil` stands for no response.
        case status(Set<Int?>, of: String)
        /// A call that took longer than this time.
        case slowness(Duration, of: String)
    }

    package init(
        affected: Set<ServiceName> = [], delayed: Set<ServiceName> = [], recovery: Duration = .seconds(10),
        detection: Duration? = nil, maximumLatency: Duration? = nil, allowsTooManyRequests: Bool = false,
        evidence: Evidence? = nil
    ) {
        self.affected = affected
        self.delayed = delayed
        self.recovery = recovery
        self.detection = detection
        self.maximumLatency = maximumLatency
        self.allowsTooManyRequests = allowsTooManyRequests
        self.evidence = evidence
    }
}

/// When a fault lasted, and what it allowed.
package struct FaultWindow: Sendable {
    package let name: String
    package let allowance: Allowance
    package let began: ContinuousClock.Instant
    /// When the cause was there.
    package var caused: ContinuousClock.Instant
    /// When the suite began to remove the cause. The fault is fully active until then.
    package var removalBegan: ContinuousClock.Instant
    /// When the cause was removed. From then on, the services must recover.
    package var ended: ContinuousClock.Instant
    /// When a request of each kind had been served again; `nil` if that took longer than ``Allowance/recovery``.
    package var recovered: ContinuousClock.Instant?
    /// The address of the ingress that the fault has killed.
    package var killedIngress: String?

    /// The time after the recovery in which requests may still fail, because each process reconnects by itself: the
    /// longest delay between two attempts is 3 s.
    package static let stabilization: Duration = .seconds(4)

    package init(
        _ name: String, _ allowance: Allowance, began: ContinuousClock.Instant, caused: ContinuousClock.Instant,
        removalBegan: ContinuousClock.Instant, ended: ContinuousClock.Instant,
        recovered: ContinuousClock.Instant? = nil
    ) {
        self.name = name
        self.allowance = allowance
        self.began = began
        self.caused = caused
        self.removalBegan = removalBegan
        self.ended = ended
        self.recovered = recovered
    }

    /// Requests that begin later must succeed.
    var toleratedUntil: ContinuousClock.Instant {
        let limit = ended + allowance.recovery + Self.stabilization
        return recovered.map { min(limit, $0 + Self.stabilization) } ?? limit
    }

    /// Whether the fault has an effect on the requests of a service.
    func affects(_ service: ServiceName) -> Bool { allowance.affected.union(allowance.delayed).contains(service) }

    /// Whether the fault had an effect on the requests of a service at some time in a period.
    func affects(
        _ service: ServiceName, since start: ContinuousClock.Instant, until end: ContinuousClock.Instant
    ) -> Bool {
        affects(service) && began <= end && toleratedUntil >= start
    }

    /// Whether a call may have no response, because the ingress that had it was killed. The cause is there when the
    /// process has ended.
    func losesResponse(of call: CallRecord) -> Bool {
        call.address == killedIngress && call.ended >= began && call.began <= caused
    }

    /// Whether a call was under way while the fault lasted.
    func lasts(during call: CallRecord) -> Bool { call.ended >= began && call.began <= ended }
}
