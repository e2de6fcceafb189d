import Contracts
import FoundationEssentials
import Reactor
import Testing
import WorkerKit

@testable import IdentityService

@Suite("Logging out", .timeLimit(.minutes(2)))
@Loop struct LogoutTests {
    @Test("ends the session, with whichever of its tokens")
    func logout() async throws {
        try await IdentityBench.with { bench in
            let first = try await bench.register()
            let second = try bench.session(try await bench.refresh(first.refreshToken))
            let reply = try await bench.logout(first.refreshToken)
            #expect(reply == .noContent)
            #expect(try await bench.refresh(first.refreshToken).status == 401)
            #expect(try await bench.refresh(second.refreshToken).status == 401)
        }
    }

    @Test("answers the same where the token is unknown")
    func unknown() async throws {
        try await IdentityBench.with { bench in
            let reply = try await bench.logout("never given out")
            #expect(reply == .noContent)
        }
    }

    @Test("everywhere ends every session of the account and nobody else's")
    func everywhere() async throws {
        try await IdentityBench.with { bench in
            let first = try await bench.register()
            let second = try bench.session(try await bench.login(first.account))
            let stranger = try await bench.register()
            #expect(try await bench.call(Messages.Identity.logoutAll, EmptyBody(), as: first.account) == .noContent)
            #expect(try await bench.refresh(first.refreshToken).status == 401)
            #expect(try await bench.refresh(second.refreshToken).status == 401)
            #expect(try await bench.refresh(stranger.refreshToken).status == 200)
        }
    }

    @Test("while a refresh is under way leaves no token that works")
    func duringRefresh() async throws {
        try await IdentityBench.with { bench in
            let account = try await bench.register().account
            for round in 0..<20 {
                let token = try bench.session(try await bench.login(account)).refreshToken
                async let refreshing = bench.refresh(token)
                async let ending =
                    round.isMultiple(of: 2)
                    ? bench.logout(token) : bench.call(Messages.Identity.logoutAll, EmptyBody(), as: account)
                let (refreshed, ended) = try await (refreshing, ending)
                #expect(ended.status == 204)
                guard refreshed.status == 200 else { continue }
                #expect(try await bench.refresh(bench.session(refreshed).refreshToken).status == 401)
            }
            #expect(try await bench.count("SELECT count(*) FROM refresh_tokens") <= 2)
        }
    }
}
