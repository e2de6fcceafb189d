import Contracts
import DatabaseSupport
import FoundationEssentials
import Reactor
import Testing
import WorkerKit

@testable import IdentityService

@Suite("Logout", .timeLimit(.minutes(2)))
@Loop struct LogoutTests {
    @Test("a logout with a used refresh token ends the session")
    func logout() async throws {
        try await IdentityFixture.with { fixture in
            let first = try await fixture.register()
            let second = try fixture.session(try await fixture.refresh(first.refreshToken))
            let reply = try await fixture.logout(first.refreshToken)
            #expect(reply == .noContent)
            #expect(try await fixture.refresh(first.refreshToken).status == 401)
            #expect(try await fixture.refresh(second.refreshToken).status == 401)
        }
    }

    @Test("a logout with an unknown token gets the same 204 reply")
    func unknown() async throws {
        try await IdentityFixture.with { fixture in
            let reply = try await fixture.logout("never given out")
            #expect(reply == .noContent)
        }
    }

    @Test("logout-all ends all sessions of the caller's account and no session of another account")
    func everywhere() async throws {
        try await IdentityFixture.with { fixture in
            let first = try await fixture.register()
            let second = try fixture.session(try await fixture.login(first.account))
            let stranger = try await fixture.register()
            #expect(try await fixture.call(Messages.Identity.logoutAll, EmptyBody(), as: first.account) == .noContent)
            #expect(try await fixture.refresh(first.refreshToken).status == 401)
            #expect(try await fixture.refresh(second.refreshToken).status == 401)
            #expect(try await fixture.refresh(stranger.refreshToken).status == 200)
        }
    }

    @Test("a logout or logout-all during a refresh leaves no valid token")
    func duringRefresh() async throws {
        try await IdentityFixture.with { fixture in
            let account = try await fixture.register().account
            for round in 0..<20 {
                let token = try fixture.session(try await fixture.login(account)).refreshToken
                async let refreshing = fixture.refresh(token)
                async let ending =
                    round.isMultiple(of: 2)
                    ? fixture.logout(token) : fixture.call(Messages.Identity.logoutAll, EmptyBody(), as: account)
                let (refreshed, ended) = try await (refreshing, ending)
                #expect(ended.status == 204)
                guard refreshed.status == 200 else { continue }
                #expect(try await fixture.refresh(fixture.session(refreshed).refreshToken).status == 401)
            }
            #expect(try await fixture.database.count("SELECT count(*) FROM refresh_tokens") <= 2)
        }
    }
}
