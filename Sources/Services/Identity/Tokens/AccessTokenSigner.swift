internal import Contracts
internal import FoundationEssentials
internal import JWTKit

/// Signs access tokens: JSON Web Tokens with ES256 that are valid for 15 minutes.
struct AccessTokenSigner: Sendable {
    /// The lifetime of a token in seconds.
    static let lifetime = 900

    private let keys: JWTKeyCollection
    private let identifier: JWKIdentifier
    private let issuer: String
    private let audience: String

    /// Makes a signer.
    ///
    /// - Throws: `JWTError` if JWTKit does not accept the key.
    init(key: SigningKey, issuer: String, audience: String) async throws {
        identifier = JWKIdentifier(string: key.publicKey.identifier)
        keys = await JWTKeyCollection().add(ecdsa: try ES256PrivateKey(backing: key.privateKey), kid: identifier)
        self.issuer = issuer
        self.audience = audience
    }

    /// Returns a token for an account, issued at `now`.
    func sign(for account: Account, at now: Timestamp) async throws -> String {
        let seconds = Int(now.milliseconds / 1000)
        let claims = AccessClaims(
            iss: issuer, aud: audience, sub: account.id.text, name: account.username, iat: seconds,
            exp: seconds + Self.lifetime, jti: UUID.v7().text)
        return try await keys.sign(claims, kid: identifier)
    }
}

/// The claims of an access token (RFC 7519, section 4.1); times are in seconds since 1970.
struct AccessClaims: JWTPayload, Hashable {
    let iss: String
    let aud: String
    let sub: String
    let name: String
    let iat: Int
    let exp: Int
    let jti: String

    /// Accepts all claims, because this service only signs tokens; the ingress verifies them.
    func verify(using algorithm: some JWTAlgorithm) {}
}
