internal import Contracts
internal import FoundationEssentials
internal import WorkerKit

/// The rate limits of the process, and what each request is charged to.
struct RateLimits: Sendable {
    /// By caller where there is one and by address else; nothing where it is off.
    let general: RateLimit?
    /// By address, on routes where passwords are tried; nothing where it is off.
    let credentials: RateLimit?

    /// What a request is charged to.
    ///
    /// - Parameters:
    ///   - limit: its route's class.
    ///   - caller: on whose behalf it comes.
    ///   - peer: where it comes from.
    func charges(_ limit: Route.LimitClass, caller: Caller?, address peer: Peer) -> [RateCharge] {
        var charges: [RateCharge] = []
        if let general {
            let whose = caller.map { "caller:\($0.id.text)" } ?? "address:\(peer.rateKey)"
            charges.append(
                RateCharge(limit: general, key: "rate:\(general.name):\(whose)", isFree: limit == .unlimited))
        }
        if limit == .credentials, let credentials {
            charges.append(RateCharge(limit: credentials, key: "rate:\(credentials.name):address:\(peer.rateKey)"))
        }
        return charges
    }
}
