import Contracts
import DatabaseSupport
import Reactor
import Testing

@testable import IdentityService

@Suite("A session that goes on", .timeLimit(.minutes(2)))
@Loop struct LongSessionTests {
    @Test("outlives its first seven days, and every sweep, as long as it is refreshed within seven")
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
