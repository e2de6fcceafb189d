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
        "an IPv4 client behind a translator or a tunnel is counted by its IPv4 address",
        arguments: [
            ("64:ff9b::192.0.2.1", "192.0.2.1"), ("64:ff9b::c633:6409", "198.51.100.9"),
            ("64:ff9b:1::192.0.2.1", "192.0.2.1"), ("64:ff9b:1:abcd::192.0.2.1", "192.0.2.1"),
            ("2002:c000:201::1", "192.0.2.1"), ("2002:c000:201:ffff:1:2:3:4", "192.0.2.1"),
            ("2001:0:4136:e378:8000:63bf:3fff:fdfe", "192.0.2.1"), ("::ffff:0:192.0.2.1", "192.0.2.1"),
        ])
    func translatedAddresses(text: String, expected: String) throws {
        let address: IPAddress = try #require(IPAddress(text))
        #expect(address.rateLimitKey == expected)
        // Otherwise a client could pretend to be a trusted proxy.
        #expect(try !IPNetwork(expected).contains(address))
    }

    @Test(
        "two addresses of a local-use translator that places the IPv4 address elsewhere are two clients",
        arguments: [
            ("64:ff9b:1:c000:2:100::", "64:ff9b:1:c000:2:200::"), ("64:ff9b:1:0:c0:2:100:0", "64:ff9b:1:0:c0:2:200:0"),
        ])
    func otherTranslators(first: String, second: String) throws {
        let keys = try [first, second].map { try #require(IPAddress($0) as IPAddress?).rateLimitKey }
        #expect(keys[0] != keys[1])
    }

    @Test("a neighbour of a translator's prefix is counted by its /64 network")
    func neighbours() throws {
        for (text, key) in [
            ("64:ff9b:0:1::1", "64:ff9b:0:1"), ("64:ff9c::1", "64:ff9c:0:0"), ("64:ff9b:2::1", "64:ff9b:2:0"),
            ("2003::1", "2003:0:0:0"), ("2001:1::1", "2001:1:0:0"), ("::1", "0:0:0:0"),
        ] {
            let address: IPAddress = try #require(IPAddress(text))
            #expect(address.rateLimitKey == key)
        }
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
