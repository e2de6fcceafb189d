import Contracts
import FoundationEssentials
import NIOCore
import Testing
import WorkerKit

@testable import Ingress

@Suite("Who is charged for a request")
struct ChargeTests {
    private let limit = RateLimit(name: "test", count: 10, per: .seconds(1), burst: 5)

    @Test("a request is charged to its caller, without one to its address, and credentials to the address too")
    func charges() throws {
        let credentials = RateLimit(name: "credentials", count: 1, per: .seconds(60))
        let limits = RateLimits(general: limit, credentials: credentials)
        let caller = Caller(id: UUID(), username: "alice")
        let peer = Peer(try SocketAddress(ipAddress: "192.0.2.1", port: 99))
        let free = limits.charges(.unlimited, caller: nil, address: peer)
        #expect(free.map(\.key) == ["rate:test:address:192.0.2.1"])
        #expect(free.allSatisfy { $0.cost == 0 })
        #expect(
            limits.charges(.general, caller: caller, address: peer).map(\.key) == ["rate:test:caller:\(caller.id.text)"]
        )
        #expect(
            limits.charges(.credentials, caller: nil, address: peer).map(\.key)
                == ["rate:test:address:192.0.2.1", "rate:credentials:address:192.0.2.1"])
        #expect(RateLimits(general: nil, credentials: nil).charges(.credentials, caller: nil, address: peer).isEmpty)
    }

    @Test(
        "an IPv6 address counts as its network, a mapped one as the IPv4 address it is",
        arguments: [
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::1", true), ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true), ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
        ])
    func addresses(first: String, second: String, isSame: Bool) throws {
        let keys = try [first, second].map { Peer(try SocketAddress(ipAddress: $0, port: 1)).rateKey }
        #expect((keys[0] == keys[1]) == isSame)
    }
}
