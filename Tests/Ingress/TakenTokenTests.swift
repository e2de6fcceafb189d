import Contracts
import Testing
import WorkerKit

@testable import Ingress

@Suite("A token beside one that was taken")
struct TakenTokenTests {
    @Test("with the same claims and another signature, or the same signature and other claims, is invalid all the same")
    func forged() async throws {
        let (maker, stranger) = (try await TokenMaker(), try await TokenMaker())
        let authenticator = Authenticator(verifier: try await maker.verifier, cache: TokenCache(capacity: 100))
        let claims = maker.claims()
        let good = try maker.token(claims: claims)
        #expect(try authenticator.caller(of: "Bearer \(good)").username == "alice")
        let parts = good.split(separator: ".").map(String.init)
        let others = try stranger.token(claims: claims).split(separator: ".").map(String.init)
        let admin = TokenMaker.encode(TokenMaker.json(claims.merging(["name": "admin"]) { $1 }))
        // Of a signature only the beginning is another one: wherever the cache keeps the good token, it looks there.
        let start: Character = parts[2].first == "A" ? "B" : "A"
        for forged in [
            [parts[0], parts[1], "\(start)\(parts[2].dropFirst())"],
            [parts[0], parts[1], others[2]], [parts[0], parts[1], "AAAA"], [parts[0], parts[1], ""],
            [parts[0], parts[1]], [parts[0], admin, parts[2]], [others[0], admin, parts[2]],
        ] {
            let problem = #expect(throws: Problem.self) {
                try authenticator.caller(of: "Bearer \(forged.joined(separator: "."))")
            }
            #expect(problem?.code == .invalidToken)
        }
        #expect(try authenticator.caller(of: "Bearer \(good)").username == "alice")
    }
}
