import Contracts
import DatabaseSupport
import Foundation
import JWTKit
import Reactor
import Testing

@testable import IdentityService

@Suite("Access tokens", .timeLimit(.minutes(1)))
struct TokenTests {
    private static let account = Account(
        id: .v7(), username: "Grace", email: "grace@example.org", createdAt: Timestamp(milliseconds: 0))

    @Test("an access token is valid for the key set of `warren keys new` and has all claims")
    func verification() async throws {
        try await WarrenCommand.withDirectory { directory in
            try #require(try await WarrenCommand.run(["keys", "new", directory]).status == 0)
            let key = try SigningKey(pem: String(contentsOfFile: "\(directory)/signing-key.pem", encoding: .utf8))
            let tokens = try await AccessTokenSigner(key: key, issuer: "here", audience: "there")
            let now = Timestamp(milliseconds: 1_800_000_000_999)
            let token = try await tokens.sign(for: Self.account, at: now)

            let keySet = try String(contentsOfFile: "\(directory)/jwks.json", encoding: .utf8)
            let verifier = try await JWTKeyCollection().add(jwksJSON: keySet)
            let claims = try await verifier.verify(token, as: AccessClaims.self)
            #expect(claims.iss == "here")
            #expect(claims.aud == "there")
            #expect(claims.sub == Self.account.id.text)
            #expect(claims.name == "Grace")
            #expect(claims.iat == 1_800_000_000)
            #expect(claims.exp == 1_800_000_900)
            #expect(UUID(text: claims.jti) != nil)
        }
    }

    @Test("an access token's header names its algorithm and key")
    func header() async throws {
        let key = SigningKey()
        let tokens = try await AccessTokenSigner(key: key, issuer: "warren", audience: "warren")
        let token = try await tokens.sign(for: Self.account, at: .now())
        let header = try #require(token.split(separator: ".").first).replacing("-", with: "+")
            .replacing("_", with: "/")
        let padded = header + String(repeating: "=", count: (4 - header.count % 4) % 4)
        let json = try JSON.parse([UInt8](try #require(Data(base64Encoded: String(padded)))))
        #expect(json["alg"] == "ES256")
        #expect(json["typ"] == "JWT")
        #expect(json["kid"]?.string == key.publicKey.identifier)
    }

    @Test("two access tokens for the same account and time differ")
    func unique() async throws {
        let tokens = try await AccessTokenSigner(key: SigningKey(), issuer: "warren", audience: "warren")
        let now = Timestamp.now()
        #expect(try await tokens.sign(for: Self.account, at: now) != tokens.sign(for: Self.account, at: now))
    }

    @Test("an access token does not verify with another key")
    func otherKey() async throws {
        let tokens = try await AccessTokenSigner(key: SigningKey(), issuer: "warren", audience: "warren")
        let token = try await tokens.sign(for: Self.account, at: .now())
        let keySet = String(decoding: KeySet([SigningKey().publicKey]).document, as: UTF8.self)
        let verifier = try await JWTKeyCollection().add(jwksJSON: keySet)
        await #expect(throws: JWTError.self) { try await verifier.verify(token, as: AccessClaims.self) }
    }
}
