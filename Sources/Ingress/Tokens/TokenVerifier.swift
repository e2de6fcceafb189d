internal import Contracts
internal import FoundationEssentials
internal import JWTKit
internal import WorkerKit

/// Verifies access tokens: ES256 JSON Web Tokens of one issuer for one audience (RFC 7519, RFC 8725).
struct TokenVerifier: Sendable {
    /// The maximum length of a token, in bytes.
    static let maximumLength = 8 * 1024
    private static let claimLimits = JSONLimits(bytes: maximumLength, depth: 8, numberLength: 32)
    /// The tolerance for `nbf`, in case the issuer's clock is ahead.
    private static let leeway: Duration = .seconds(60)

    private let keys: PublicKeys
    private let issuer: String
    private let audience: String

    init(keys: PublicKeys, issuer: String, audience: String) {
        self.keys = keys
        self.issuer = issuer
        self.audience = audience
    }

    /// Verifies a token's format, signature and claims.
    ///
    /// - Returns: the account that the token was issued to, and the time at which it expires.
    func verify(_ token: String, at now: Timestamp) throws(TokenVerificationFailure) -> VerifiedToken {
        guard token.utf8.count <= Self.maximumLength else { throw .malformed }
        let bytes = Array(token.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = json(parts[0]), let signature = Base64URL.decode(parts[2]) else {
            throw .malformed
        }
        // The verifier determines the algorithm; the token must not choose it (RFC 8725, section 3.1).
        guard header["alg"]?.string == "ES256", header["crit"] == nil, let id = header["kid"]?.string,
            let algorithm = keys.algorithm(of: id)
        else { throw .unacceptableHeader }
        let signed = bytes[..<parts[1].endIndex]
        guard signature.count == 64, (try? algorithm.verify(signature, signs: signed)) == true else {
            throw .invalidSignature
        }
        guard let claims = json(parts[1]) else { throw .malformed }
        return try check(claims, at: now)
    }

    private func check(_ claims: JSON, at now: Timestamp) throws(TokenVerificationFailure) -> VerifiedToken {
        guard claims["iss"]?.string == issuer, isAudience(claims["aud"]),
            let account = claims["sub"]?.string.flatMap({ UUID(text: $0) }),
            let username = claims["name"]?.string, Username.isValid(username),
            let expiry = time(claims["exp"])
        else { throw .invalidClaims }
        guard now < expiry else { throw .expired }
        if let start = claims["nbf"] {
            guard let start = time(start), start <= now.advanced(by: Self.leeway) else { throw .notYetValid }
        }
        return VerifiedToken(caller: Caller(id: account, username: username), expiry: expiry)
    }

    private func isAudience(_ claim: JSON?) -> Bool {
        switch claim {
        case .string(let name): name == audience
        case .array(let names): names.contains(.string(audience))
        default: false
        }
    }

    /// Reads a `NumericDate`: seconds since the epoch, optionally with a fraction (RFC 7519, section 2).
    private func time(_ claim: JSON?) -> Timestamp? {
        switch claim {
        case .integer(let seconds) where seconds >= 0: Timestamp(milliseconds: 0).advanced(by: .seconds(seconds))
        case .double(let seconds) where seconds >= 0 && seconds < 1e15: Timestamp(milliseconds: Int64(seconds * 1000))
        default: nil
        }
    }

    private func json(_ part: ArraySlice<UInt8>) -> JSON? {
        Base64URL.decode(part).flatMap { try? JSON.parse($0, limits: Self.claimLimits) }
    }
}

/// The claims of a verified token.
struct VerifiedToken: Sendable, Hashable {
    let caller: Caller
    /// The time at which the token expires. From this time on the token is not valid.
    let expiry: Timestamp
}

/// The reason why a token failed verification.
enum TokenVerificationFailure: Error, Hashable {
    case malformed
    /// The header names another algorithm, an unknown key or no key, or has a `crit` member.
    case unacceptableHeader
    case invalidSignature
    case invalidClaims
    case expired
    case notYetValid
}
