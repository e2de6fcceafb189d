import Contracts
import Reactor
import Testing

@testable import IdentityService

@Suite("A session that goes on", .timeLimit(.minutes(2)))
@Loop struct LongSessionTests {
    @Test("outlives its first seven days, and every sweep, as long as it is refreshed within seven")
    func outlivesSweeps() async throws {
        try await IdentityBench.with { bench in
            var token = try await bench.register().refreshToken
            for round in 1...4 {
                bench.clock.advance(by: .seconds(6 * 24 * 3600))
                try await TokenSweeper(database: bench.database, log: IdentityBench.log).sweep(at: bench.clock.now)
                token = try bench.session(try await bench.refresh(token)).refreshToken
                #expect(try await bench.count("SELECT count(*) FROM refresh_families") == 1, "\(round)")
            }
        }
    }
}
