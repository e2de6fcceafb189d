internal import Contracts
internal import FoundationEssentials
internal import WorkerKit

/// The rate limits of the ingress, and the keys under which they count requests.
struct RateLimits: Sendable {
    /// The limit on every request, counted per caller, or per address if there is no caller; `nil` if it is off.
    let general: RateLimit?
    /// The additional limit on routes that check a password, counted per address; `nil` if it is off.
    let credentials: RateLimit?
    /// The ceiling on all requests of one address, whatever accounts they are sent by; `nil` if it is off. Each process
    /// counts its own requests, because the ceiling is generous and need not be exact.
    var ceiling: RateLimit?

    /// Returns the charges for one request.
    ///
    /// - Parameters:
    ///   - limit: the rate limit class of the request's route.
    ///   - caller: the account that sends the request; `nil` if the request is not authenticated.
    ///   - client: the address that the request comes from.
    ///   - weight: the weight of the request for the general limit (see ``RequestWeight``).
    func charges(
        _ limit: Route.RateLimitClass, caller: Caller?, client: ClientAddress, weight: Int = 1
    ) -> RequestCharges {
        var charges = RequestCharges()
        // A request without a caller is counted per address by the general limit, which is stricter.
        if let ceiling, caller != nil {
            charges.ceiling = RateCharge(limit: ceiling, key: client.rateLimitKey, weight: weight)
        }
        if let general {
            let subject = caller.map { "caller:\($0.id.text)" } ?? "address:\(client.rateLimitKey)"
            charges.general = RateCharge(
                limit: general, key: "rate:\(general.name):\(subject)", weight: limit == .unlimited ? 0 : weight)
        }
        if limit == .credentials, let credentials {
            charges.credentials = RateCharge(
                limit: credentials, key: "rate:\(credentials.name):address:\(client.rateLimitKey)")
        }
        return charges
    }
}

/// The charges for one request.
struct RequestCharges: Sendable {
    /// The charge that all processes count together, but which each process decides at once (``SharedRateLimiter``).
    var general: RateCharge?
    /// The charge that Redis decides, so that the limit is exact for all processes together (``RateLimiter``).
    var credentials: RateCharge?
    /// The charge that this process counts.
    var ceiling: RateCharge?

    var isEmpty: Bool { general == nil && credentials == nil && ceiling == nil }
}
