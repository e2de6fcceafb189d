internal import Contracts
internal import FoundationEssentials
internal import JWTKit
internal import WorkerKit

/// Verifies access tokens: ES256 JSON Web Tokens of one issuer for one audience (RFC 7519, RFC 8725).
struct TokenVerifier: Sendable {
    /// The longest token, in bytes.
    static let longest = 8 * 1024
    private static let claimLimits = JSONLimits(bytes: longest, depth: 8, numberLength: 32)
    /// How far the issuer's clock may be ahead.
    private static let leeway: Duration = .seconds(5)

    /// Why a token is not taken.
    enum Fault: Error, Hashable {
        case malformed
        /// Its header names another algorithm, no key or an unknown one, or something critical.
        case unacceptableHeader
        case wrongSignature
        case wrongClaims
        case expired
        case notYetValid
    }

    private let keys: PublicKeys
    private let issuer: String
    private let audience: String

    init(keys: PublicKeys, issuer: String, audience: String) {
        self.keys = keys
        self.issuer = issuer
        self.audience = audience
    }

    /// Verifies a token's form, signature and claims.
    ///
    /// - Returns: whom it stands for, and until when.
    func verify(_ token: String, at now: Timestamp) throws(Fault) -> VerifiedToken {
        guard token.utf8.count <= Self.longest else { throw .malformed }
        let bytes = Array(token.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = json(parts[0]), let signature = Base64URL.decode(parts[2]) else {
            throw .malformed
        }
        // The algorithm is ours to choose, never the token's (RFC 8725, section 3.1).
        guard header["alg"]?.string == "ES256", header["crit"] == nil, let id = header["kid"]?.string,
            let algorithm = keys.algorithm(of: id)
        else { throw .unacceptableHeader }
        let signed = bytes[..<parts[1].endIndex]
        guard signature.count == 64, (try? algorithm.verify(signature, signs: signed)) == true else {
            throw .wrongSignature
        }
        guard let claims = json(parts[1]) else { throw .malformed }
        return try check(claims, at: now)
    }

    private func check(_ claims: JSON, at now: Timestamp) throws(Fault) -> VerifiedToken {
        guard claims["iss"]?.string == issuer, isForUs(claims["aud"]),
            let account = claims["sub"]?.string.flatMap({ UUID(text: $0) }),
            let username = claims["name"]?.string, Username.isValid(username),
            let expiry = moment(claims["exp"])
        else { throw .wrongClaims }
        guard now < expiry else { throw .expired }
        if let start = claims["nbf"] {
            guard let start = moment(start), start <= now.advanced(by: Self.leeway) else { throw .notYetValid }
        }
        return VerifiedToken(caller: Caller(id: account, username: username), expiry: expiry)
    }

    private func isForUs(_ claim: JSON?) -> Bool {
        switch claim {
        case .string(let name): name == audience
        case .array(let names): names.contains(.string(audience))
        default: false
        }
    }

    /// A `NumericDate`: seconds since the epoch, which may have a fraction.
    private func moment(_ claim: JSON?) -> Timestamp? {
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

/// What a verified token says.
struct VerifiedToken: Sendable, Hashable {
    let caller: Caller
    /// From then on it is worth nothing.
    let expiry: Timestamp
}
