import Contracts
import FoundationEssentials
import Testing
import WorkerKit

@testable import Ingress

@Suite("Whose request it is")
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

    @Test("no bearer token is unauthenticated, a bad one is invalid")
    func codes() async throws {
        let authenticator = try await authenticator(TokenMaker())
        for field in [nil, "", "Bearer", "Bearer ", "Basic abc", "Token x", "abc"] {
            #expect(code(authenticator, field) == .unauthenticated)
        }
        for field in ["Bearer x", "bearer a.b.c", "Bearer  ."] {
            #expect(code(authenticator, field) == .invalidToken)
        }
    }

    @Test("the scheme's name has no case, and more than one space may follow")
    func scheme() async throws {
        let maker = try await TokenMaker()
        let authenticator = try await authenticator(maker)
        let token = try maker.token()
        for scheme in ["Bearer ", "bearer ", "BEARER   "] {
            #expect(try authenticator.caller(of: scheme + token).username == "alice")
        }
    }

    @Test("a token that was verified is not good for longer than it says")
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

    @Test("the cache holds no more than its capacity, and lets expired tokens go first")
    func capacity() {
        let cache = TokenCache(capacity: 160)
        let start = Timestamp(milliseconds: 0)
        let short = VerifiedToken(caller: Caller(id: UUID(), username: "a"), expiry: start.advanced(by: .seconds(1)))
        let long = VerifiedToken(caller: Caller(id: UUID(), username: "b"), expiry: start.advanced(by: .seconds(90)))
        for number in 0..<1000 { cache.insert("old \(number)", short, at: start) }
        #expect((0..<1000).count { cache.find("old \($0)", at: start) != nil } <= 160)
        let later = start.advanced(by: .seconds(2))
        for number in 0..<80 { cache.insert("new \(number)", long, at: later) }
        let kept = (0..<80).count { cache.find("new \($0)", at: later) != nil }
        #expect(kept >= 70 && kept <= 80)
    }
}
