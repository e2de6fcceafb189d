import Contracts
import FoundationEssentials
import Reactor
import Testing
import WorkerKit

@testable import IdentityService

@Suite("Refreshing", .timeLimit(.minutes(2)))
@Loop struct RefreshTests {
    private static let day: Duration = .seconds(24 * 3600)

    @Test("gives a session with another refresh token, which works in its turn")
    func rotation() async throws {
        try await IdentityBench.with { bench in
            let first = try await bench.register()
            let second = try bench.session(try await bench.refresh(first.refreshToken))
            #expect(second.account == first.account)
            #expect(second.refreshToken != first.refreshToken)
            #expect(second.accessToken != first.accessToken)
            let third = try bench.session(try await bench.refresh(second.refreshToken))
            #expect(third.refreshToken != second.refreshToken)
        }
    }

    @Test("gives the same successor again within ten seconds, for a client whose answer was lost")
    func grace() async throws {
        try await IdentityBench.with { bench in
            let first = try await bench.register()
            let second = try bench.session(try await bench.refresh(first.refreshToken))
            bench.clock.advance(by: .seconds(10))
            let again = try bench.session(try await bench.refresh(first.refreshToken))
            #expect(again.refreshToken == second.refreshToken)
            #expect(try await bench.count("SELECT count(*) FROM refresh_tokens") == 2)
            #expect(try await bench.refresh(again.refreshToken).status == 200)
        }
    }

    @Test("gives eight that ask at once the same successor")
    func concurrent() async throws {
        try await IdentityBench.with { bench in
            let token = try await bench.register().refreshToken
            let successors = try await IdentityBench.all(8) { _ in
                try bench.session(try await bench.refresh(token)).refreshToken
            }
            #expect(successors.count == 8)
            #expect(Set(successors).count == 1)
            #expect(try await bench.count("SELECT count(*) FROM refresh_tokens") == 2)
        }
    }

    @Test("with a used token, once the grace is over, revokes its family and no other")
    func reuse() async throws {
        try await IdentityBench.with { bench in
            let stolen = try await bench.register()
            let other = try bench.session(try await bench.login(stolen.account))
            let successor = try bench.session(try await bench.refresh(stolen.refreshToken))
            bench.clock.advance(by: .milliseconds(10_001))
            let reply = try await bench.refresh(stolen.refreshToken)
            #expect(reply.status == 401)
            #expect(reply.code == "invalid-refresh-token")
            #expect(try await bench.refresh(successor.refreshToken).status == 401)
            #expect(try await bench.refresh(other.refreshToken).status == 200)
        }
    }

    @Test("works for seven days after a token was made, and no longer")
    func expiry() async throws {
        try await IdentityBench.with { bench in
            let first = try await bench.register()
            bench.clock.advance(by: Self.day * 7 - .milliseconds(1))
            let second = try bench.session(try await bench.refresh(first.refreshToken))
            bench.clock.advance(by: Self.day * 7)
            let reply = try await bench.refresh(second.refreshToken)
            #expect(reply.status == 401)
            #expect(reply.code == "invalid-refresh-token")
        }
    }

    @Test("refuses what was never given out", arguments: ["x", String(repeating: "A", count: 43), "\u{1F600}"])
    func unknown(_ token: String) async throws {
        try await IdentityBench.with { bench in
            let reply = try await bench.refresh(token)
            #expect(reply.status == 401)
            #expect(reply.code == "invalid-refresh-token")
        }
    }

    @Test("leaves nothing behind that the sweep does not delete once it has expired")
    func sweep() async throws {
        try await IdentityBench.with { bench in
            let expired = try await bench.register()
            _ = try await bench.refresh(expired.refreshToken)
            bench.clock.advance(by: Self.day * 6)
            let alive = try bench.session(try await bench.login(expired.account))
            bench.clock.advance(by: Self.day * 2)
            let sweeper = TokenSweeper(database: bench.database, log: IdentityBench.log)
            try await sweeper.sweep(at: bench.clock.now)
            #expect(try await bench.count("SELECT count(*) FROM refresh_tokens") == 1)
            #expect(try await bench.count("SELECT count(*) FROM refresh_families") == 1)
            #expect(try await bench.refresh(alive.refreshToken).status == 200)
        }
    }
}
