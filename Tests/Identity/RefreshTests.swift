import Contracts
import FoundationEssentials
import Postgres
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

    @Test("with a used token revokes its family for good: neither the first, a middle nor the newest token works again")
    func revoked() async throws {
        try await IdentityBench.with { bench in
            var tokens = [try await bench.register().refreshToken]
            for _ in 0..<3 {
                bench.clock.advance(by: .seconds(60))
                tokens.append(try bench.session(try await bench.refresh(tokens[tokens.count - 1])).refreshToken)
            }
            // A middle one, while the newest one's predecessor is still within its grace.
            #expect(try await bench.refresh(tokens[1]).status == 401)
            for token in tokens {
                let reply = try await bench.refresh(token)
                #expect(reply.code == "invalid-refresh-token")
            }
            #expect(try await bench.count("SELECT count(*) FROM refresh_tokens") == 0)
        }
    }

    @Test("with one token by eight at once, once its grace is over, lets none of them in")
    func concurrentReuse() async throws {
        try await IdentityBench.with { bench in
            let used = try await bench.register().refreshToken
            let newest = try bench.session(try await bench.refresh(used)).refreshToken
            bench.clock.advance(by: .seconds(11))
            let statuses = try await IdentityBench.all(8) { _ in try await bench.refresh(used).status }
            #expect(statuses == Array(repeating: 401, count: 8))
            #expect(try await bench.refresh(newest).status == 401)
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

    @Test("leaves no more than a sweep can take, however much has expired, also where two workers sweep at once")
    func largeSweep() async throws {
        try await IdentityBench.with { bench in
            let account = try await bench.register().account
            let insert = Statement(
                """
                WITH family AS (
                    INSERT INTO refresh_families (id, account_id, expires_at)
                    SELECT gen_random_uuid(), $1, $2 FROM generate_series(1, 2500) RETURNING id)
                INSERT INTO refresh_tokens (hash, family_id, expires_at)
                SELECT sha256(id::text::bytea), id, $2 FROM family
                """)
            _ = try await bench.database.query(
                insert, account.id, bench.clock.now.advanced(by: .zero - Self.day).stored)
            _ = try await IdentityBench.all(2) { _ in
                try await TokenSweeper(database: bench.database, log: IdentityBench.log).sweep(at: bench.clock.now)
            }
            // Each passes over what the other holds; the next sweep finds what that left.
            try await TokenSweeper(database: bench.database, log: IdentityBench.log).sweep(at: bench.clock.now)
            #expect(try await bench.count("SELECT count(*) FROM refresh_tokens") == 1)
            #expect(try await bench.count("SELECT count(*) FROM refresh_families") == 1)
        }
    }

    @Test("is swept until the sweeper is closed or cancelled, and no longer")
    func sweeperEnds() async throws {
        try await IdentityBench.with { bench in
            for round in 0..<20 {
                let sweeper = TokenSweeper(database: bench.database, log: IdentityBench.log)
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await sweeper.run() }
                    if round.isMultiple(of: 3) { await Task.yield() }
                    if round.isMultiple(of: 2) { sweeper.close() } else { group.cancelAll() }
                }
            }
        }
    }
}
