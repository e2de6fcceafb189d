import Contracts
import FoundationEssentials
import JWTKit
import Testing
import WorkerKit

@testable import Ingress

@Suite("Forged access tokens")
struct HostileTokenTests {
    private let maker: TokenMaker
    private let verifier: TokenVerifier

    init() async throws {
        maker = try await TokenMaker()
        verifier = try await maker.verifier
    }

    private func failure(_ token: String) -> TokenVerificationFailure? { verifier.failure(token) }

    /// Makes a token with changed header members and a signature made by the test.
    private func token(header: [String: JSON], signature: (String) async throws -> [UInt8]) async throws -> String {
        let head = TokenMaker.encode(TokenMaker.json(maker.header.merging(header) { $1 }))
        let text = "\(head).\(TokenMaker.encode(TokenMaker.json(maker.claims())))"
        return "\(text).\(TokenMaker.encode(try await signature(text)))"
    }

    @Test("a token with the alg none is refused, in any spelling, with a signature and without one")
    func none() async throws {
        for name in ["none", "None", "NONE", "nOnE", "none ", "\u{0}none"] {
            for bytes in [[], [0], Array(repeating: 0, count: 64)] as [[UInt8]] {
                #expect(failure(try await token(header: ["alg": .string(name)]) { _ in bytes }) == .unacceptableHeader)
            }
        }
        let parts = try maker.token().split(separator: ".")
        #expect(failure("\(parts[0]).\(parts[1]).") == .invalidSignature)
        #expect(failure("\(parts[0]).\(parts[1])") == .malformed)
    }

    @Test(
        "a token that is signed by HMAC, with the public key as the secret, is refused",
        arguments: ["HS256", "HS384", "HS512", "ES256"])
    func confusion(algorithm name: String) async throws {
        let point = try #require(maker.key.parameters)
        let key = try #require(try maker.keySet["keys"]?.array?.first)
        let secrets = [
            Array(try maker.keySetText.utf8), key.serialized(), Array(maker.key.publicKey.pemRepresentation.utf8),
            Array(point.x.utf8), Array((point.x + point.y).utf8), Array(repeating: 0, count: 64),
        ]
        for secret in secrets {
            // The library refuses HMAC keys that are shorter than the digest.
            for (digest, size) in [(DigestAlgorithm.sha256, 32), (.sha384, 48), (.sha512, 64)]
            where secret.count >= size {
                let hmac = try await JWTKeyCollection().add(
                    hmac: HMACKey(from: Data(secret)), digestAlgorithm: digest
                ).getKey()
                let forged = try await token(header: ["alg": .string(name)]) { try hmac.sign(Array($0.utf8)) }
                #expect(failure(forged) == (name == "ES256" ? .invalidSignature : .unacceptableHeader))
            }
        }
    }

    @Test(
        "a token with a valid ES256 signature and another alg is refused",
        arguments: [
            "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES384", "ES512", "ES256K", "EdDSA", "ES256 ",
            "es256",
            "ES256\u{0}", "ECDH-ES", "dir", "",
        ])
    func names(algorithm name: String) throws {
        let header = maker.header.merging(["alg": .string(name)]) { $1 }
        #expect(failure(try maker.token(header: header)) == .unacceptableHeader)
    }

    @Test("a token with the alg ES256 and a P-384 signature is refused")
    func otherCurve() async throws {
        let algorithm = try await JWTKeyCollection().add(ecdsa: ES384PrivateKey()).getKey()
        #expect(failure(try await token(header: [:]) { try algorithm.sign(Array($0.utf8)) }) == .invalidSignature)
    }

    @Test(
        "a token whose alg is not a string is refused",
        arguments: [1, true, nil, ["ES256"], ["alg": "ES256"]] as [JSON])
    func notAString(algorithm: JSON) throws {
        #expect(
            failure(try maker.token(header: maker.header.merging(["alg": algorithm]) { $1 })) == .unacceptableHeader)
    }

    @Test(
        "a token with a hostile kid is refused",
        arguments: [
            "../../../../dev/null", "/proc/self/environ", "file:///etc/passwd", "https://example.org/jwks.json",
            "test' OR '1'='1", "test; DROP TABLE accounts", "test\u{0}", "test ", "TEST", "t\u{E9}st", "$(id)", "`id`",
            "",
            ".", "%00", "%74est", "te\u{200B}st", String(repeating: "k", count: 4000), "__proto__",
        ])
    func keyName(_ name: String) throws {
        let header = maker.header.merging(["kid": .string(name)]) { $1 }
        #expect(failure(try maker.token(header: header)) == .unacceptableHeader)
    }

    @Test(
        "a token whose kid is not a string is refused",
        arguments: [nil, 0, true, ["test"], ["kid": "test"]] as [JSON])
    func oddKeyName(_ name: JSON) throws {
        #expect(failure(try maker.token(header: maker.header.merging(["kid": name]) { $1 })) == .unacceptableHeader)
    }

    @Test(
        "a token that is signed with a key in the token or at a URL in the token is refused",
        arguments: ["test", "mine", nil])
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
            #expect(failure(token) == (name == "test" ? .invalidSignature : .unacceptableHeader), "\(member)")
        }
    }

    @Test("a token with a duplicate header member or claim is refused")
    func duplicates() throws {
        let good = String(decoding: TokenMaker.json(maker.claims()), as: UTF8.self)
        let heads = [
            #"{"alg":"none","alg":"ES256","kid":"test"}"#, #"{"alg":"ES256","alg":"none","kid":"test"}"#,
            #"{"alg":"ES256","kid":"other","kid":"test"}"#, #"{"alg":"ES256","kid":"test"} "x""#,
            #"{"alg":"ES256","\u0061lg":"none","kid":"test"}"#,
        ]
        for head in heads {
            let token = try maker.sign("\(TokenMaker.encode(Array(head.utf8))).\(TokenMaker.encode(Array(good.utf8)))")
            #expect(failure(token) == .malformed, "\(head)")
        }
        let head = TokenMaker.encode(TokenMaker.json(maker.header))
        for claim in [#""sub":"0190b5c6-0000-7000-8000-00000000000b""#, #""exp":99999999999"#, #""aud":"other""#] {
            let claims = good.dropLast() + ",\(claim)}"
            #expect(
                failure(try maker.sign("\(head).\(TokenMaker.encode(Array(claims.utf8)))")) == .malformed, "\(claim)")
        }
    }

    @Test("a truncated token and a token without one of its characters are refused")
    func truncated() throws {
        let token = Array(try maker.token().utf8)
        for length in 0..<token.count {
            #expect(failure(String(decoding: token.prefix(length), as: UTF8.self)) != nil)
            #expect(failure(String(decoding: token.suffix(length), as: UTF8.self)) != nil)
            var without = token
            without.remove(at: length)
            #expect(failure(String(decoding: without, as: UTF8.self)) != nil)
        }
    }

    @Test("a token with one changed or additional character is refused")
    func changed() throws {
        let token = Array(try maker.token().utf8)
        for place in token.indices {
            for other in [UInt8(ascii: "A"), UInt8(ascii: "B"), UInt8(ascii: "."), UInt8(ascii: "=")] {
                var more = token
                more.insert(other, at: place)
                #expect(failure(String(decoding: more, as: UTF8.self)) != nil)
                guard token[place] != other else { continue }
                var changed = token
                changed[place] = other
                #expect(failure(String(decoding: changed, as: UTF8.self)) != nil)
            }
        }
        for end in [" ", "\n", ".", "=", ".AAAA", "\u{0}"] {
            #expect(failure(String(decoding: token, as: UTF8.self) + end) != nil)
        }
    }

    @Test("a token in JSON serialization, an encrypted token and a token with detached content are refused")
    func otherForms() throws {
        let parts = try maker.token().split(separator: ".")
        #expect(
            failure(#"{"payload":"\#(parts[1])","protected":"\#(parts[0])","signature":"\#(parts[2])"}"#) == .malformed)
        #expect(failure("\(parts[0])...\(parts[1]).\(parts[2])") == .malformed)
        #expect(failure("\(parts[0])..\(parts[2])") == .invalidSignature)
        let plain = maker.header.merging(["b64": false, "crit": ["b64"]]) { $1 }
        #expect(failure(try maker.token(header: plain)) == .unacceptableHeader)
    }

    @Test("a refresh token is refused as an access token")
    func refreshToken() throws {
        // 256 random bits, the format of refresh tokens.
        let refresh = TokenMaker.encode((0..<32).map { _ in UInt8.random(in: 0...255) })
        #expect(failure(refresh) == .malformed)
        let good = try maker.token().split(separator: ".")
        #expect(failure("\(good[0]).\(refresh).\(good[2])") == .invalidSignature)
    }

    @Test("a token with an issuer or audience that only resembles the configured one is refused")
    func issuers() throws {
        let names: [JSON] = [
            "Warren", "warren ", "warren/", "https://warren", "w\u{430}rren", "", nil, 0, ["warren"], ["warren": 1],
        ]
        for name in names {
            #expect(failure(try maker.token(claims: maker.claims().merging(["iss": name]) { $1 })) == .invalidClaims)
            guard name != ["warren"] else { continue }
            #expect(failure(try maker.token(claims: maker.claims().merging(["aud": name]) { $1 })) == .invalidClaims)
        }
        for audience in [[], ["Warren"], [1, nil], [["warren"]]] as [JSON] {
            #expect(
                failure(try maker.token(claims: maker.claims().merging(["aud": audience]) { $1 })) == .invalidClaims)
        }
    }

    @Test("a time in the far future is accepted in exp and refused in nbf, and an invalid time is refused")
    func times() throws {
        for time in [.integer(.max), .double(1e14), .double(9e14)] as [JSON] {
            #expect(failure(try maker.token(claims: maker.claims().merging(["exp": time]) { $1 })) == nil)
            #expect(failure(try maker.token(claims: maker.claims().merging(["nbf": time]) { $1 })) == .notYetValid)
        }
        for time in [.integer(.min), .double(1e300), .double(-1), .double(-1e300), [], "0"] as [JSON] {
            #expect(failure(try maker.token(claims: maker.claims().merging(["exp": time]) { $1 })) == .invalidClaims)
        }
    }

    @Test("during a key rotation each key verifies only the tokens that it signed")
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
        #expect(throws: TokenVerificationFailure.invalidSignature) { try both.verify(crossed, at: .now()) }

        // After the old key is removed, its tokens are refused.
        let late = try await new.verifier
        #expect(throws: TokenVerificationFailure.unacceptableHeader) { try late.verify(old.token(), at: .now()) }
    }
}
