import Contracts
import FoundationEssentials
import NIOCore
import Testing
import WorkerKit

@testable import Ingress

@Suite("Rate limit charges of a request")
struct RateLimitChargeTests {
    private let limit = RateLimit(name: "test", count: 10, per: .seconds(1), burst: 5)

    @Test(
        "a request counts for its caller, or for its address if it has no caller; a login also counts for its address"
    )
    func charges() throws {
        let credentials = RateLimit(name: "credentials", count: 1, per: .seconds(60))
        let limits = RateLimits(general: limit, credentials: credentials)
        let caller = Caller(id: UUID(), username: "alice")
        let client = ClientAddress(try SocketAddress(ipAddress: "192.0.2.1", port: 99))
        let free = limits.charges(.unlimited, caller: nil, client: client)
        #expect(free.general?.key == "rate:test:address:192.0.2.1" && free.general?.cost == 0)
        let general = limits.charges(.general, caller: caller, client: client)
        #expect(general.general?.key == "rate:test:caller:\(caller.id.text)" && general.credentials == nil)
        let login = limits.charges(.credentials, caller: nil, client: client)
        #expect(login.general?.key == "rate:test:address:192.0.2.1")
        #expect(login.credentials?.key == "rate:credentials:address:192.0.2.1")
        #expect(RateLimits(general: nil, credentials: nil).charges(.credentials, caller: nil, client: client).isEmpty)
    }

    @Test("a request with a caller also counts for the ceiling of its address, by default ten times the general limit")
    func ceiling() async throws {
        let ceiling = limit.multiplied(by: 10, name: "address")
        #expect(ceiling.interval == limit.interval / 10 && ceiling.burst == limit.burst * 10)
        let limits = RateLimits(general: limit, credentials: nil, ceiling: ceiling)
        let client = ClientAddress(try SocketAddress(ipAddress: "192.0.2.1", port: 99))
        let caller = Caller(id: UUID(), username: "alice")
        let charge = limits.charges(.general, caller: caller, client: client, weight: 5).ceiling
        #expect(charge == RateCharge(limit: ceiling, key: "192.0.2.1", weight: 5))
        #expect(limits.charges(.general, caller: nil, client: client).ceiling == nil)
    }

    @Test("a search, a page far down a list and an upload count as several requests")
    func weights() {
        func list(_ page: String, base: Int = 1) -> Int {
            RequestWeight.list(
                [Parameter(name: "limit", value: "100"), Parameter(name: "page", value: page)], base: base)
        }
        #expect(RequestWeight.list([], base: 1) == 1)
        #expect([list("1"), list("5"), list("6"), list("11"), list("1000")] == [1, 1, 2, 3, 51])
        #expect(list("11", base: RequestWeight.search) == RequestWeight.search + 2)
        #expect(
            [list("-5"), list("x"), list("9223372036854775807"), list("-9223372036854775808")] == [1, 1, 51, 1])
        #expect(RequestWeight.list([Parameter(name: "page", value: "200")], base: 1) == 8, "20 elements a page")
        let limit = 5 << 20
        #expect(RequestWeight.upload(length: 1000, limit: limit) == 1)
        #expect(RequestWeight.upload(length: limit, limit: limit) == 21)
        #expect(RequestWeight.upload(length: nil, limit: limit) == 21)
        #expect(RequestWeight.upload(length: .max, limit: limit) == 21)
        #expect(RequestWeight.upload(length: -1, limit: limit) == 1)
    }

    @Test("a request heavier than the burst takes the whole burst, and its Retry-After is the time until it is allowed")
    func heavy() {
        var limiter = LocalRateLimiter()
        let charges = [RateCharge(limit: limit, key: "heavy", weight: 1000)]
        #expect(limiter.charge(charges, at: 0)[0].isAllowed)
        let refused = limiter.charge(charges, at: 0)[0]
        #expect(!refused.isAllowed && refused.retryAfter == 1)
        #expect(limiter.charge(charges, at: 500_000)[0].isAllowed)
        #expect(RateCharge(limit: limit, key: "", weight: .max).cost == limit.tolerance)
    }

    @Test(
        "an IPv6 address is counted by its /64 network, and an IPv4-mapped address like its IPv4 address",
        arguments: [
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::1", true), ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true), ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
        ])
    func addresses(first: String, second: String, isSameClient: Bool) throws {
        let keys = try [first, second].map { ClientAddress(try SocketAddress(ipAddress: $0, port: 1)).rateLimitKey }
        #expect((keys[0] == keys[1]) == isSameClient)
    }
}
