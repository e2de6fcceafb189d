import Contracts
import FoundationEssentials
import Testing
import WorkerKit

@testable import Ingress

@Suite("Access tokens")
struct TokenVerifierTests {
    private let maker: TokenMaker
    private let verifier: TokenVerifier

    init() async throws {
        maker = try await TokenMaker()
        verifier = try await maker.verifier
    }

    private func fault(_ token: String) -> TokenVerifier.Fault? { verifier.fault(token) }

    private func fault(header changes: [String: JSON?] = [:], claims: [String: JSON?] = [:]) throws
        -> TokenVerifier.Fault?
    {
        var header = maker.header
        for (name, value) in changes { header[name] = value }
        var all = maker.claims()
        for (name, value) in claims { all[name] = value }
        return fault(try maker.token(header: header, claims: all))
    }

    @Test("a good token tells the account, its name and until when")
    func good() throws {
        let verified = try verifier.verify(try maker.token(), at: .now())
        #expect(verified.caller.id == UUID(text: TokenMaker.subject))
        #expect(verified.caller.username == "alice")
        #expect((899_000...901_000).contains(verified.expiry.milliseconds - Timestamp.now().milliseconds))
        #expect(try fault(claims: ["aud": ["other", "warren"]]) == nil)
        #expect(try fault(claims: ["exp": .double(Double(Timestamp.now().milliseconds) / 1000 + 60.5)]) == nil)
    }

    @Test("another algorithm than ES256 is refused, whatever the signature", arguments: ["none", "HS256", "es256", ""])
    func algorithm(name: String) throws {
        #expect(try fault(header: ["alg": .string(name)]) == .unacceptableHeader)
        let head = TokenMaker.encode(TokenMaker.json(["alg": .string(name), "kid": "test"]))
        #expect(fault("\(head).\(TokenMaker.encode(TokenMaker.json(maker.claims()))).") == .unacceptableHeader)
    }

    @Test("a key that is not named or not known is refused, and so is what must be understood and is not")
    func header() throws {
        #expect(try fault(header: ["kid": nil]) == .unacceptableHeader)
        #expect(try fault(header: ["kid": "other"]) == .unacceptableHeader)
        #expect(try fault(header: ["kid": 1]) == .unacceptableHeader)
        #expect(try fault(header: ["crit": ["exp"]]) == .unacceptableHeader)
    }

    @Test("another key's signature under a known name is refused")
    func foreignKey() async throws {
        let foreign = try await TokenMaker()
        #expect(fault(try foreign.token()) == .wrongSignature)
    }

    @Test("a token that was changed is refused")
    func changed() throws {
        let parts = try maker.token().split(separator: ".")
        var claims = maker.claims()
        claims["name"] = "mallory"
        #expect(fault("\(parts[0]).\(TokenMaker.encode(TokenMaker.json(claims))).\(parts[2])") == .wrongSignature)
        #expect(
            fault("\(parts[0]).\(parts[1]).\(TokenMaker.encode(Array(repeating: 0, count: 64)))") == .wrongSignature)
        #expect(fault("\(parts[0]).\(parts[1]).\(TokenMaker.encode([1, 2, 3]))") == .wrongSignature)
    }

    @Test("an expired token is refused, and one that is not good yet")
    func time() throws {
        let now = Timestamp.now().milliseconds / 1000
        #expect(try fault(claims: ["exp": .integer(now - 1)]) == .expired)
        #expect(try fault(claims: ["exp": .integer(0)]) == .expired)
        #expect(try fault(claims: ["nbf": .integer(now + 60)]) == .notYetValid)
        #expect(try fault(claims: ["nbf": .integer(now)]) == nil)
    }

    @Test("claims that are missing, wrong or of another type are refused")
    func claims() throws {
        let wrong: [(String, JSON?)] = [
            ("iss", "other"), ("iss", nil), ("aud", "other"), ("aud", ["other"]), ("aud", nil), ("aud", 1),
            ("sub", "alice"), ("sub", nil), ("sub", 1), ("name", nil), ("name", ""), ("name", 5), ("exp", nil),
            ("exp", "9999999999"), ("exp", -5), ("exp", true), ("name", .string(String(repeating: "x", count: 51))),
            ("name", "Häsin"),
        ]
        for (name, value) in wrong {
            #expect(try fault(claims: [name: value]) == .wrongClaims, "\(name)")
        }
    }

    @Test(
        "garbage is refused",
        arguments: [
            "", ".", "..", "...", "a.b.c", "a.b", "e30.e30.e30", "e30=.e30=.AAAA", "äöü.ä.ü", "\u{0}.\u{0}.\u{0}",
            String(repeating: "a", count: 8193), String(repeating: ".", count: 5000),
            "W1tbW1tbW1tbW1tbW1tbW1tbW1tbW10.e30.AAAA", "bnVsbA.bnVsbA.AAAA",
        ])
    func garbage(token: String) {
        let fault = fault(token)
        #expect(fault == .malformed || fault == .unacceptableHeader)
    }

    @Test("a token of more than 8 KiB is refused even where it is good")
    func oversize() throws {
        var claims = maker.claims()
        claims["padding"] = .string(String(repeating: "x", count: 8000))
        #expect(fault(try maker.token(claims: claims)) == .malformed)
    }
}
