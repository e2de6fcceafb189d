import Contracts
import FoundationEssentials
import Testing
import WorkerKit

@testable import Ingress

@Suite("Authentication of requests")
struct AuthenticatorTests {
    private func authenticator(_ maker: TokenMaker) async throws -> Authenticator {
        Authenticator(verifier: try await maker.verifier, cache: TokenCache(capacity: 100))
    }

    private func code(_ authenticator: Authenticator, _ field: String?) -> ProblemCode? {
        do throws(Problem) {
            _ = try authenticator.caller(of: field)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("a request without a bearer token gets unauthenticated, and one with an invalid token gets invalid-token")
    func codes() async throws {
        let authenticator = try await authenticator(TokenMaker())
        for field in [nil, "", "Bearer", "Bearer ", "Basic abc", "Token x", "abc"] {
            #expect(code(authenticator, field) == .unauthenticated)
        }
        for field in ["Bearer x", "bearer a.b.c", "Bearer  ."] {
            #expect(code(authenticator, field) == .invalidToken)
        }
    }

    @Test("the scheme Bearer in Authorization is case-insensitive, and several spaces may follow it")
    func scheme() async throws {
        let maker = try await TokenMaker()
        let authenticator = try await authenticator(maker)
        let token = try maker.token()
        for scheme in ["Bearer ", "bearer ", "BEARER   "] {
            #expect(try authenticator.caller(of: scheme + token).username == "alice")
        }
    }

    @Test("the token cache does not return a token that has expired")
    func expiry() async throws {
        let cache = TokenCache(capacity: 100)
        let caller = Caller(id: UUID(), username: "alice")
        let start = Timestamp(milliseconds: 1_000_000)
        cache.insert("token", VerifiedToken(caller: caller, expiry: start.advanced(by: .seconds(1))), at: start)
        #expect(cache.find("token", at: start)?.caller == caller)
        #expect(cache.find("token", at: start.advanced(by: .milliseconds(999)))?.caller == caller)
        #expect(cache.find("token", at: start.advanced(by: .seconds(1))) == nil)
        #expect(cache.find("Token", at: start) == nil)
    }

    @Test("the token cache keeps at most as many tokens as its capacity, and evicts expired tokens first")
    func capacity() {
        let cache = TokenCache(capacity: 160)
        let start = Timestamp(milliseconds: 0)
        let short = VerifiedToken(caller: Caller(id: UUID(), username: "a"), expiry: start.advanced(by: .seconds(1)))
        let long = VerifiedToken(caller: Caller(id: UUID(), username: "b"), expiry: start.advanced(by: .seconds(90)))
        for number in 0..<1000 { cache.insert("old \(number)", short, at: start) }
        #expect((0..<1000).count { cache.find("old \($0)", at: start) != nil } <= 160)
        let later = start.advanced(by: .seconds(2))
        for number in 0..<80 { cache.insert("new \(number)", long, at: later) }
        let cached = (0..<80).count { cache.find("new \($0)", at: later) != nil }
        #expect(cached >= 70 && cached <= 80)
    }

    @Test("a forged token gets invalid-token even if a valid token with the same claims or signature is cached")
    func forged() async throws {
        let (maker, otherMaker) = (try await TokenMaker(), try await TokenMaker())
        let authenticator = Authenticator(verifier: try await maker.verifier, cache: TokenCache(capacity: 100))
        let claims = maker.claims()
        let good = try maker.token(claims: claims)
        #expect(try authenticator.caller(of: "Bearer \(good)").username == "alice")
        let parts = good.split(separator: ".").map(String.init)
        let others = try otherMaker.token(claims: claims).split(separator: ".").map(String.init)
        let admin = TokenMaker.encode(TokenMaker.json(claims.merging(["name": "admin"]) { $1 }))
        // Only the first character of the signature differs, so that the forged token belongs to the same shard of the
        // cache as the valid token.
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
