import Contracts
import DatabaseSupport
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing
import WorkerKit

@testable import IdentityService

@Suite("Refresh tokens", .timeLimit(.minutes(2)))
@Loop struct RefreshTests {
    private static let day: Duration = .seconds(24 * 3600)

    @Test("a refresh returns a session with a new refresh token, which can be used for the next refresh")
    func rotation() async throws {
        try await IdentityFixture.with { fixture in
            let first = try await fixture.register()
            let second = try fixture.session(try await fixture.refresh(first.refreshToken))
            #expect(second.account == first.account)
            #expect(second.refreshToken != first.refreshToken)
            #expect(second.accessToken != first.accessToken)
            let third = try fixture.session(try await fixture.refresh(second.refreshToken))
            #expect(third.refreshToken != second.refreshToken)
        }
    }

    @Test("a used refresh token returns the same successor again for ten seconds after its use")
    func grace() async throws {
        try await IdentityFixture.with { fixture in
            let first = try await fixture.register()
            let second = try fixture.session(try await fixture.refresh(first.refreshToken))
            fixture.clock.advance(by: .seconds(10))
            let again = try fixture.session(try await fixture.refresh(first.refreshToken))
            #expect(again.refreshToken == second.refreshToken)
            #expect(try await fixture.database.count("SELECT count(*) FROM refresh_tokens") == 2)
            #expect(try await fixture.refresh(again.refreshToken).status == 200)
        }
    }

    @Test("eight concurrent refreshes with one refresh token return the same successor")
    func concurrent() async throws {
        try await IdentityFixture.with { fixture in
            let token = try await fixture.register().refreshToken
            let successors = try await concurrently(8) { _ in
                try fixture.session(try await fixture.refresh(token)).refreshToken
            }
            #expect(successors.count == 8)
            #expect(Set(successors).count == 1)
            #expect(try await fixture.database.count("SELECT count(*) FROM refresh_tokens") == 2)
        }
    }

    @Test("a refresh token that is reused after the grace time revokes its own family and no other family")
    func reuse() async throws {
        try await IdentityFixture.with { fixture in
            let stolen = try await fixture.register()
            let other = try fixture.session(try await fixture.login(stolen.account))
            let successor = try fixture.session(try await fixture.refresh(stolen.refreshToken))
            fixture.clock.advance(by: .milliseconds(10_001))
            let reply = try await fixture.refresh(stolen.refreshToken)
            #expect(reply.status == 401)
            #expect(reply.code == "invalid-refresh-token")
            #expect(try await fixture.refresh(successor.refreshToken).status == 401)
            #expect(try await fixture.refresh(other.refreshToken).status == 200)
        }
    }

    @Test("a refresh token expires seven days after it was issued")
    func expiry() async throws {
        try await IdentityFixture.with { fixture in
            let first = try await fixture.register()
            fixture.clock.advance(by: Self.day * 7 - .milliseconds(1))
            let second = try fixture.session(try await fixture.refresh(first.refreshToken))
            fixture.clock.advance(by: Self.day * 7)
            let reply = try await fixture.refresh(second.refreshToken)
            #expect(reply.status == 401)
            #expect(reply.code == "invalid-refresh-token")
        }
    }

    @Test(
        "a refresh with an unknown token is refused with 401",
        arguments: ["x", String(repeating: "A", count: 43), "\u{1F600}"])
    func unknown(_ token: String) async throws {
        try await IdentityFixture.with { fixture in
            let reply = try await fixture.refresh(token)
            #expect(reply.status == 401)
            #expect(reply.code == "invalid-refresh-token")
        }
    }

    @Test("after a reuse, every token of the family is refused, from the first to the newest")
    func revoked() async throws {
        try await IdentityFixture.with { fixture in
            var tokens = [try await fixture.register().refreshToken]
            for _ in 0..<3 {
                fixture.clock.advance(by: .seconds(60))
                tokens.append(try fixture.session(try await fixture.refresh(tokens[tokens.count - 1])).refreshToken)
            }
            // Reuses a token from the middle, while the predecessor of the newest token is within its grace time.
            #expect(try await fixture.refresh(tokens[1]).status == 401)
            for token in tokens {
                let reply = try await fixture.refresh(token)
                #expect(reply.code == "invalid-refresh-token")
            }
            #expect(try await fixture.database.count("SELECT count(*) FROM refresh_tokens") == 0)
        }
    }

    @Test("eight concurrent reuses of a refresh token after the grace time are all refused with 401")
    func concurrentReuse() async throws {
        try await IdentityFixture.with { fixture in
            let used = try await fixture.register().refreshToken
            let newest = try fixture.session(try await fixture.refresh(used)).refreshToken
            fixture.clock.advance(by: .seconds(11))
            let statuses = try await concurrently(8) { _ in try await fixture.refresh(used).status }
            #expect(statuses == Array(repeating: 401, count: 8))
            #expect(try await fixture.refresh(newest).status == 401)
        }
    }

    @Test("a sweep deletes expired refresh tokens and families and keeps valid ones")
    func sweep() async throws {
        try await IdentityFixture.with { fixture in
            let expired = try await fixture.register()
            _ = try await fixture.refresh(expired.refreshToken)
            fixture.clock.advance(by: Self.day * 6)
            let alive = try fixture.session(try await fixture.login(expired.account))
            fixture.clock.advance(by: Self.day * 2)
            let sweeper = TokenSweeper(database: fixture.database, log: .quiet)
            try await sweeper.sweep(at: fixture.clock.now)
            #expect(try await fixture.database.count("SELECT count(*) FROM refresh_tokens") == 1)
            #expect(try await fixture.database.count("SELECT count(*) FROM refresh_families") == 1)
            #expect(try await fixture.refresh(alive.refreshToken).status == 200)
        }
    }

    @Test("sweeps delete thousands of expired rows, even if two workers sweep at the same time")
    func largeSweep() async throws {
        try await IdentityFixture.with { fixture in
            let account = try await fixture.register().account
            let insert = Statement(
                """
                WITH family AS (
                    INSERT INTO refresh_families (id, account_id, expires_at)
                    SELECT gen_random_uuid(), $1, $2 FROM generate_series(1, 2500) RETURNING id)
                INSERT INTO refresh_tokens (hash, family_id, expires_at)
                SELECT sha256(id::text::bytea), id, $2 FROM family
                """)
            _ = try await fixture.database.query(
                insert, account.id, fixture.clock.now.advanced(by: .zero - Self.day))
            _ = try await concurrently(2) { _ in
                try await TokenSweeper(database: fixture.database, log: .quiet).sweep(at: fixture.clock.now)
            }
            // Each sweep skips the rows that the other has locked; the next sweep deletes them.
            try await TokenSweeper(database: fixture.database, log: .quiet).sweep(at: fixture.clock.now)
            #expect(try await fixture.database.count("SELECT count(*) FROM refresh_tokens") == 1)
            #expect(try await fixture.database.count("SELECT count(*) FROM refresh_families") == 1)
        }
    }

    @Test("the token sweeper ends if it is closed or its task is cancelled")
    func sweeperEnds() async throws {
        try await IdentityFixture.with { fixture in
            for round in 0..<20 {
                let sweeper = TokenSweeper(database: fixture.database, log: .quiet)
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await sweeper.run() }
                    if round.isMultiple(of: 3) { await Task.yield() }
                    if round.isMultiple(of: 2) { sweeper.close() } else { group.cancelAll() }
                }
            }
        }
    }

    @Test("a session ends 90 days after its login, however often it is refreshed")
    func maximumAge() async throws {
        try await IdentityFixture.with { fixture in
            var token = try await fixture.register().refreshToken
            for _ in 0..<14 {
                fixture.clock.advance(by: .seconds(6 * 24 * 3600))
                token = try fixture.session(try await fixture.refresh(token)).refreshToken
            }
            fixture.clock.advance(by: .seconds(6 * 24 * 3600 - 60))
            token = try fixture.session(try await fixture.refresh(token)).refreshToken
            fixture.clock.advance(by: .seconds(120))
            #expect(try await fixture.refresh(token).status == 401)
        }
    }

    @Test("an account keeps its 100 newest sessions, and a login ends the oldest one beyond them")
    func sessionCount() async throws {
        try await IdentityFixture.with { fixture in
            let first = try await fixture.register()
            let other = try await fixture.register()
            let account = first.account.id
            // Logins would take seconds each, because passwords are hashed.
            for _ in 0..<98 {
                _ = try await fixture.database.query(
                    Statement("INSERT INTO refresh_families (id, account_id, expires_at) VALUES ($1, $2, $3)"),
                    UUID.v7(), account, fixture.clock.now.advanced(by: .seconds(3600)))
            }
            let second = try fixture.session(try await fixture.login(first.account))
            #expect(try fixture.session(try await fixture.refresh(first.refreshToken)).account == first.account)
            _ = try fixture.session(try await fixture.login(first.account))
            let families = "SELECT count(*) FROM refresh_families"
            #expect(try await fixture.database.count(families) == 101, "100 and the one of the other account")
            #expect(try await fixture.refresh(second.refreshToken).status == 200)
            #expect(try await fixture.refresh(first.refreshToken).status == 401, "the oldest session has ended")
            #expect(try await fixture.refresh(other.refreshToken).status == 200)
        }
    }

    @Test("a session with 1,000 unexpired tokens cannot be refreshed, and the reuse of its first token revokes it")
    func usedTokens() async throws {
        try await IdentityFixture.with { fixture in
            let first = try await fixture.register().refreshToken
            let second = try fixture.session(try await fixture.refresh(first)).refreshToken
            let insert = """
                INSERT INTO refresh_tokens (hash, family_id, expires_at)
                SELECT sha256(n::text::bytea), family_id, expires_at FROM refresh_tokens, generate_series(1, $1::int) n
                WHERE used_at IS NULL
                """
            _ = try await fixture.database.query(Statement(insert), Int32(997))
            let third = try fixture.session(try await fixture.refresh(second)).refreshToken
            #expect(try await fixture.refresh(third).status == 401)
            #expect(try await fixture.database.count("SELECT count(*) FROM refresh_families") == 1)
            fixture.clock.advance(by: .seconds(60))
            #expect(try await fixture.refresh(first).status == 401)
            #expect(try await fixture.database.count("SELECT count(*) FROM refresh_families") == 0)
        }
    }

    @Test("a session that is refreshed every six days stays valid after its first token expires, despite sweeps")
    func outlivesSweeps() async throws {
        try await IdentityFixture.with { fixture in
            var token = try await fixture.register().refreshToken
            for round in 1...4 {
                fixture.clock.advance(by: .seconds(6 * 24 * 3600))
                try await TokenSweeper(database: fixture.database, log: .quiet).sweep(at: fixture.clock.now)
                token = try fixture.session(try await fixture.refresh(token)).refreshToken
                #expect(try await fixture.database.count("SELECT count(*) FROM refresh_families") == 1, "\(round)")
            }
        }
    }
}
