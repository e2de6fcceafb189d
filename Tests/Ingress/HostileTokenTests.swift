import Contracts
import FoundationEssentials
import JWTKit
import Testing
import WorkerKit

@testable import Ingress

@Suite("Tokens that someone has tampered with")
struct HostileTokenTests {
    private let maker: TokenMaker
    private let verifier: TokenVerifier

    init() async throws {
        maker = try await TokenMaker()
        verifier = try await maker.verifier
    }

    private func fault(_ token: String) -> TokenVerifier.Fault? { verifier.fault(token) }

    /// A token whose parts are what the test says, with a signature of its own.
    private func token(header: [String: JSON], signature: (String) async throws -> [UInt8]) async throws -> String {
        let head = TokenMaker.encode(TokenMaker.json(maker.header.merging(header) { $1 }))
        let text = "\(head).\(TokenMaker.encode(TokenMaker.json(maker.claims())))"
        return "\(text).\(TokenMaker.encode(try await signature(text)))"
    }

    @Test("`alg: none` is refused, in whatever case, with a signature, without one and with another's")
    func none() async throws {
        for name in ["none", "None", "NONE", "nOnE", "none ", "\u{0}none"] {
            for bytes in [[], [0], Array(repeating: 0, count: 64)] as [[UInt8]] {
                #expect(fault(try await token(header: ["alg": .string(name)]) { _ in bytes }) == .unacceptableHeader)
            }
        }
        let parts = try maker.token().split(separator: ".")
        #expect(fault("\(parts[0]).\(parts[1]).") == .wrongSignature)
        #expect(fault("\(parts[0]).\(parts[1])") == .malformed)
    }

    @Test(
        "the public key is no HMAC secret, in none of the forms in which a server might hold it",
        arguments: ["HS256", "HS384", "HS512", "ES256"])
    func confusion(algorithm name: String) async throws {
        let point = try #require(maker.key.parameters)
        let key = try #require(try maker.keySet["keys"]?.array?.first)
        let secrets = [
            Array(try maker.keySetText.utf8), key.serialized(), Array(maker.key.publicKey.pemRepresentation.utf8),
            Array(point.x.utf8), Array((point.x + point.y).utf8), Array(repeating: 0, count: 64),
        ]
        for secret in secrets {
            // The library makes no HMAC with a key shorter than its digest.
            for (digest, size) in [(DigestAlgorithm.sha256, 32), (.sha384, 48), (.sha512, 64)]
            where secret.count >= size {
                let hmac = try await JWTKeyCollection().add(
                    hmac: HMACKey(from: Data(secret)), digestAlgorithm: digest
                ).getKey()
                let forged = try await token(header: ["alg": .string(name)]) { try hmac.sign(Array($0.utf8)) }
                #expect(fault(forged) == (name == "ES256" ? .wrongSignature : .unacceptableHeader))
            }
        }
    }

    @Test(
        "another algorithm's name is refused over our own key's signature",
        arguments: [
            "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES384", "ES512", "ES256K", "EdDSA", "ES256 ",
            "es256",
            "ES256\u{0}", "ECDH-ES", "dir", "",
        ])
    func names(algorithm name: String) throws {
        let header = maker.header.merging(["alg": .string(name)]) { $1 }
        #expect(fault(try maker.token(header: header)) == .unacceptableHeader)
    }

    @Test("another curve's signature is refused under our algorithm's name")
    func otherCurve() async throws {
        let algorithm = try await JWTKeyCollection().add(ecdsa: ES384PrivateKey()).getKey()
        #expect(fault(try await token(header: [:]) { try algorithm.sign(Array($0.utf8)) }) == .wrongSignature)
    }

    @Test("an algorithm that is no text is refused", arguments: [1, true, nil, ["ES256"], ["alg": "ES256"]] as [JSON])
    func noText(algorithm: JSON) throws {
        #expect(
            fault(try maker.token(header: maker.header.merging(["alg": algorithm]) { $1 })) == .unacceptableHeader)
    }

    @Test(
        "a hostile key name finds no key, opens no file and asks no database",
        arguments: [
            "../../../../dev/null", "/proc/self/environ", "file:///etc/passwd", "https://example.org/jwks.json",
            "test' OR '1'='1", "test; DROP TABLE accounts", "test\u{0}", "test ", "TEST", "t\u{E9}st", "$(id)", "`id`",
            "",
            ".", "%00", "%74est", "te\u{200B}st", String(repeating: "k", count: 4000), "__proto__",
        ])
    func keyName(_ name: String) throws {
        let header = maker.header.merging(["kid": .string(name)]) { $1 }
        #expect(fault(try maker.token(header: header)) == .unacceptableHeader)
    }

    @Test("a key name that is no text is refused", arguments: [nil, 0, true, ["test"], ["kid": "test"]] as [JSON])
    func oddKeyName(_ name: JSON) throws {
        #expect(fault(try maker.token(header: maker.header.merging(["kid": name]) { $1 })) == .unacceptableHeader)
    }

    @Test("a key that the token brings along or points at is never used", arguments: ["test", "mine", nil])
    func ownKey(name: String?) async throws {
        let mallory = try await TokenMaker(keyID: name ?? "test")
        let key = try #require(try mallory.keySet["keys"]?.array?.first)
        var header = mallory.header
        if name == nil { header["kid"] = nil }
        for (member, value) in [
            ("jwk", key), ("jku", "https://example.org/jwks.json"), ("jku", "file:///dev/stdin"),
            ("x5u", "https://example.org/cert.pem"), ("x5c", ["MIIB"]), ("jwks", try mallory.keySet),
        ] {
            let token = try mallory.token(header: header.merging([member: value]) { $1 })
            #expect(fault(token) == (name == "test" ? .wrongSignature : .unacceptableHeader), "\(member)")
        }
    }

    @Test("what a token says twice, it does not say")
    func duplicates() throws {
        let good = String(decoding: TokenMaker.json(maker.claims()), as: UTF8.self)
        let heads = [
            #"{"alg":"none","alg":"ES256","kid":"test"}"#, #"{"alg":"ES256","alg":"none","kid":"test"}"#,
            #"{"alg":"ES256","kid":"other","kid":"test"}"#, #"{"alg":"ES256","kid":"test"} "x""#,
            #"{"alg":"ES256","\u0061lg":"none","kid":"test"}"#,
        ]
        for head in heads {
            let token = try maker.sign("\(TokenMaker.encode(Array(head.utf8))).\(TokenMaker.encode(Array(good.utf8)))")
            #expect(fault(token) == .malformed, "\(head)")
        }
        let head = TokenMaker.encode(TokenMaker.json(maker.header))
        for claim in [#""sub":"0190b5c6-0000-7000-8000-00000000000b""#, #""exp":99999999999"#, #""aud":"other""#] {
            let claims = good.dropLast() + ",\(claim)}"
            #expect(fault(try maker.sign("\(head).\(TokenMaker.encode(Array(claims.utf8)))")) == .malformed, "\(claim)")
        }
    }

    @Test("a token that lacks its end, its beginning or any character of it is refused")
    func truncated() throws {
        let token = Array(try maker.token().utf8)
        for length in 0..<token.count {
            #expect(fault(String(decoding: token.prefix(length), as: UTF8.self)) != nil)
            #expect(fault(String(decoding: token.suffix(length), as: UTF8.self)) != nil)
            var without = token
            without.remove(at: length)
            #expect(fault(String(decoding: without, as: UTF8.self)) != nil)
        }
    }

    @Test("a token with any one character changed, or one more, is refused")
    func changed() throws {
        let token = Array(try maker.token().utf8)
        for place in token.indices {
            for other in [UInt8(ascii: "A"), UInt8(ascii: "B"), UInt8(ascii: "."), UInt8(ascii: "=")] {
                var more = token
                more.insert(other, at: place)
                #expect(fault(String(decoding: more, as: UTF8.self)) != nil)
                guard token[place] != other else { continue }
                var changed = token
                changed[place] = other
                #expect(fault(String(decoding: changed, as: UTF8.self)) != nil)
            }
        }
        for end in [" ", "\n", ".", "=", ".AAAA", "\u{0}"] {
            #expect(fault(String(decoding: token, as: UTF8.self) + end) != nil)
        }
    }

    @Test("other forms that tokens have elsewhere are refused: JSON, encrypted, detached")
    func otherForms() throws {
        let parts = try maker.token().split(separator: ".")
        #expect(
            fault(#"{"payload":"\#(parts[1])","protected":"\#(parts[0])","signature":"\#(parts[2])"}"#) == .malformed)
        #expect(fault("\(parts[0])...\(parts[1]).\(parts[2])") == .malformed)
        #expect(fault("\(parts[0])..\(parts[2])") == .wrongSignature)
        let plain = maker.header.merging(["b64": false, "crit": ["b64"]]) { $1 }
        #expect(fault(try maker.token(header: plain)) == .unacceptableHeader)
    }

    @Test("a refresh token is no access token")
    func refreshToken() throws {
        // 256 random bits, as `identity.refresh` gives them out.
        let refresh = TokenMaker.encode((0..<32).map { _ in UInt8.random(in: 0...255) })
        #expect(fault(refresh) == .malformed)
        let good = try maker.token().split(separator: ".")
        #expect(fault("\(good[0]).\(refresh).\(good[2])") == .wrongSignature)
    }

    @Test("another issuer or audience is refused, however alike it looks")
    func issuers() throws {
        let names: [JSON] = [
            "Warren", "warren ", "warren/", "https://warren", "w\u{430}rren", "", nil, 0, ["warren"], ["warren": 1],
        ]
        for name in names {
            #expect(fault(try maker.token(claims: maker.claims().merging(["iss": name]) { $1 })) == .wrongClaims)
            guard name != ["warren"] else { continue }
            #expect(fault(try maker.token(claims: maker.claims().merging(["aud": name]) { $1 })) == .wrongClaims)
        }
        for audience in [[], ["Warren"], [1, nil], [["warren"]]] as [JSON] {
            #expect(fault(try maker.token(claims: maker.claims().merging(["aud": audience]) { $1 })) == .wrongClaims)
        }
    }

    @Test("times beyond every calendar are refused or never come, and harm nothing")
    func times() throws {
        for time in [.integer(.max), .double(1e14), .double(9e14)] as [JSON] {
            #expect(fault(try maker.token(claims: maker.claims().merging(["exp": time]) { $1 })) == nil)
            #expect(fault(try maker.token(claims: maker.claims().merging(["nbf": time]) { $1 })) == .notYetValid)
        }
        for time in [.integer(.min), .double(1e300), .double(-1), .double(-1e300), [], "0"] as [JSON] {
            #expect(fault(try maker.token(claims: maker.claims().merging(["exp": time]) { $1 })) == .wrongClaims)
        }
    }

    @Test("while keys are exchanged both verify, each what it has signed and nothing of the other's")
    func twoKeys() async throws {
        let (old, new) = (try await TokenMaker(keyID: "old"), try await TokenMaker(keyID: "new"))
        let keys = try [old, new].flatMap { try $0.keySet["keys"]?.array ?? [] }
        let set = JSON.object(JSONObject([.init(name: "keys", value: .array(keys))])).serialized()
        let both = TokenVerifier(
            keys: try await PublicKeys(jwks: String(decoding: set, as: UTF8.self)), issuer: "warren", audience: "warren"
        )
        for maker in [old, new] {
            #expect(try both.verify(maker.token(), at: .now()).caller.username == "alice")
        }
        let crossed = try old.token(header: new.header)
        #expect(throws: TokenVerifier.Fault.wrongSignature) { try both.verify(crossed, at: .now()) }

        // Once the old key is dropped, its tokens are refused.
        let late = try await new.verifier
        #expect(throws: TokenVerifier.Fault.unacceptableHeader) { try late.verify(old.token(), at: .now()) }
    }
}
