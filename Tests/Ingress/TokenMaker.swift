import Contracts
import FoundationEssentials
import JWTKit

@testable import Ingress

/// Makes valid and invalid access tokens with a key of its own.
struct TokenMaker: Sendable {
    static let subject = "0190b5c6-0000-7000-8000-00000000000a"

    let key: ES256PrivateKey
    let keyID: String
    private let algorithm: any JWTAlgorithm

    init(keyID: String = "test") async throws {
        key = ES256PrivateKey()
        self.keyID = keyID
        algorithm = try await JWTKeyCollection().add(ecdsa: key).getKey()
    }

    /// The key set that verifies the tokens of this maker.
    var keySet: JSON {
        get throws {
            guard let point = key.parameters else { throw JWTError.generic(identifier: "key", reason: "no point") }
            return [
                "keys": [
                    [
                        "kty": "EC", "crv": "P-256", "kid": .string(keyID), "alg": "ES256", "use": "sig",
                        "x": .string(Self.urlSafe(point.x)), "y": .string(Self.urlSafe(point.y)),
                    ]
                ]
            ]
        }
    }

    var keySetText: String { get throws { String(decoding: try keySet.serialized(), as: UTF8.self) } }

    /// A verifier with the key of this maker.
    var verifier: TokenVerifier {
        get async throws {
            TokenVerifier(keys: try await PublicKeys(jwks: keySetText), issuer: "warren", audience: "warren")
        }
    }

    var header: [String: JSON] { ["alg": "ES256", "typ": "JWT", "kid": .string(keyID)] }

    func claims(subject: String = subject, expiresIn seconds: Int64 = 900) -> [String: JSON] {
        let now = Timestamp.now().milliseconds / 1000
        return [
            "iss": "warren", "aud": "warren", "sub": .string(subject), "name": "alice", "iat": .integer(now),
            "exp": .integer(now + seconds), "jti": "x",
        ]
    }

    func token(header: [String: JSON]? = nil, claims: [String: JSON]? = nil) throws -> String {
        let head = Self.encode(Self.json(header ?? self.header))
        let body = Self.encode(Self.json(claims ?? self.claims()))
        return try sign("\(head).\(body)")
    }

    func sign(_ text: String) throws -> String {
        "\(text).\(Self.encode(try algorithm.sign(Array(text.utf8))))"
    }

    static func json(_ members: [String: JSON]) -> [UInt8] {
        JSON.object(JSONObject(members.map { JSONObject.Member(name: $0.key, value: $0.value) })).serialized()
    }

    static func encode(_ bytes: [UInt8]) -> String {
        urlSafe(Data(bytes).base64EncodedString())
    }

    private static func urlSafe(_ base64: String) -> String {
        String(
            base64.compactMap { character in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }
}

extension TokenVerifier {
    /// Returns the reason why a token fails verification now; `nil` if the token is valid.
    func failure(_ token: String) -> TokenVerificationFailure? {
        do throws(TokenVerificationFailure) {
            _ = try verify(token, at: .now())
            return nil
        } catch {
            return error
        }
    }
}
