import Contracts
import FoundationEssentials
import Testing
import WorkerKit

@testable import Ingress

@Suite("Verification of access tokens")
struct TokenVerifierTests {
    private let maker: TokenMaker
    private let verifier: TokenVerifier

    init() async throws {
        maker = try await TokenMaker()
        verifier = try await maker.verifier
    }

    private func failure(_ token: String) -> TokenVerificationFailure? { verifier.failure(token) }

    private func failure(header changes: [String: JSON?] = [:], claims: [String: JSON?] = [:]) throws
        -> TokenVerificationFailure?
    {
        var header = maker.header
        for (name, value) in changes { header[name] = value }
        var all = maker.claims()
        for (name, value) in claims { all[name] = value }
        return failure(try maker.token(header: header, claims: all))
    }

    @Test("a valid token yields the account's id and username and the token's expiry")
    func good() throws {
        let verified = try verifier.verify(try maker.token(), at: .now())
        #expect(verified.caller.id == UUID(text: TokenMaker.subject))
        #expect(verified.caller.username == "alice")
        #expect((899_000...901_000).contains(verified.expiry.milliseconds - Timestamp.now().milliseconds))
        #expect(try failure(claims: ["aud": ["other", "warren"]]) == nil)
        #expect(try failure(claims: ["exp": .double(Double(Timestamp.now().milliseconds) / 1000 + 60.5)]) == nil)
    }

    @Test(
        "a token whose header names an algorithm other than ES256 is refused, with a valid signature and without one",
        arguments: ["none", "HS256", "es256", ""])
    func algorithm(name: String) throws {
        #expect(try failure(header: ["alg": .string(name)]) == .unacceptableHeader)
        let head = TokenMaker.encode(TokenMaker.json(["alg": .string(name), "kid": "test"]))
        #expect(failure("\(head).\(TokenMaker.encode(TokenMaker.json(maker.claims()))).") == .unacceptableHeader)
    }

    @Test("a token whose header has no kid, an unknown kid, or the member crit is refused")
    func header() throws {
        #expect(try failure(header: ["kid": nil]) == .unacceptableHeader)
        #expect(try failure(header: ["kid": "other"]) == .unacceptableHeader)
        #expect(try failure(header: ["kid": 1]) == .unacceptableHeader)
        #expect(try failure(header: ["crit": ["exp"]]) == .unacceptableHeader)
    }

    @Test("a token that has a known kid but is signed with another key is refused")
    func foreignKey() async throws {
        let foreign = try await TokenMaker()
        #expect(failure(try foreign.token()) == .invalidSignature)
    }

    @Test("a token with changed claims or signature is refused")
    func changed() throws {
        let parts = try maker.token().split(separator: ".")
        var claims = maker.claims()
        claims["name"] = "mallory"
        #expect(failure("\(parts[0]).\(TokenMaker.encode(TokenMaker.json(claims))).\(parts[2])") == .invalidSignature)
        #expect(
            failure("\(parts[0]).\(parts[1]).\(TokenMaker.encode(Array(repeating: 0, count: 64)))") == .invalidSignature
        )
        #expect(failure("\(parts[0]).\(parts[1]).\(TokenMaker.encode([1, 2, 3]))") == .invalidSignature)
    }

    @Test("an expired token and a token that is not yet valid are refused")
    func time() throws {
        let now = Timestamp.now().milliseconds / 1000
        #expect(try failure(claims: ["exp": .integer(now - 1)]) == .expired)
        #expect(try failure(claims: ["exp": .integer(0)]) == .expired)
        #expect(try failure(claims: ["nbf": .integer(now + 70)]) == .notYetValid)
        #expect(try failure(claims: ["nbf": .integer(now + 50)]) == nil)
    }

    @Test("a token with a missing, wrong or mistyped claim is refused")
    func claims() throws {
        let wrong: [(String, JSON?)] = [
            ("iss", "other"), ("iss", nil), ("aud", "other"), ("aud", ["other"]), ("aud", nil), ("aud", 1),
            ("sub", "alice"), ("sub", nil), ("sub", 1), ("name", nil), ("name", ""), ("name", 5), ("exp", nil),
            ("exp", "9999999999"), ("exp", -5), ("exp", true), ("name", .string(String(repeating: "x", count: 51))),
            ("name", "Häsin"),
        ]
        for (name, value) in wrong {
            #expect(try failure(claims: [name: value]) == .invalidClaims, "\(name)")
        }
    }

    @Test(
        "a text that is not a signed token is refused",
        arguments: [
            "", ".", "..", "...", "a.b.c", "a.b", "e30.e30.e30", "e30=.e30=.AAAA", "äöü.ä.ü", "\u{0}.\u{0}.\u{0}",
            String(repeating: "a", count: 8193), String(repeating: ".", count: 5000),
            "W1tbW1tbW1tbW1tbW1tbW1tbW1tbW10.e30.AAAA", "bnVsbA.bnVsbA.AAAA",
        ])
    func garbage(token: String) {
        let failure = failure(token)
        #expect(failure == .malformed || failure == .unacceptableHeader)
    }

    @Test("a token of more than 8 KiB is refused even if its signature is valid")
    func oversize() throws {
        var claims = maker.claims()
        claims["padding"] = .string(String(repeating: "x", count: 8000))
        #expect(failure(try maker.token(claims: claims)) == .malformed)
    }
}
