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
        #expect(free.map(\.key) == ["rate:test:address:192.0.2.1"])
        #expect(free.allSatisfy { $0.cost == 0 })
        #expect(
            limits.charges(.general, caller: caller, client: client).map(\.key) == [
                "rate:test:caller:\(caller.id.text)"
            ]
        )
        #expect(
            limits.charges(.credentials, caller: nil, client: client).map(\.key)
                == ["rate:test:address:192.0.2.1", "rate:credentials:address:192.0.2.1"])
        #expect(RateLimits(general: nil, credentials: nil).charges(.credentials, caller: nil, client: client).isEmpty)
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
