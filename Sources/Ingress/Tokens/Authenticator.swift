internal import Contracts
internal import WorkerKit

/// Authenticates requests by the bearer token in their `Authorization` field (RFC 6750, section 2.1).
struct Authenticator: Sendable {
    private let verifier: TokenVerifier
    private let cache: TokenCache

    init(verifier: TokenVerifier, cache: TokenCache) {
        self.verifier = verifier
        self.cache = cache
    }

    /// Returns the account that a bearer token was issued to.
    ///
    /// - Parameter authorization: the value of the `Authorization` field.
    /// - Throws: `unauthenticated` if there is no bearer token, `invalid-token` if the token fails verification.
    func caller(of authorization: String?) throws(Problem) -> Caller {
        guard let authorization, let token = Self.bearerToken(authorization) else {
            throw Problem(.unauthenticated)
        }
        let now = Timestamp.now()
        if let verified = cache.find(token, at: now) { return verified.caller }
        do throws(TokenVerificationFailure) {
            let verified = try verifier.verify(token, at: now)
            cache.insert(token, verified, at: now)
            return verified.caller
        } catch {
            throw Problem(.invalidToken, detail: error == .expired ? "The access token has expired." : nil)
        }
    }

    private static func bearerToken(_ field: String) -> String? {
        let bytes = field.utf8
        guard let space = bytes.firstIndex(of: UInt8(ascii: " ")), field[..<space].lowercased() == "bearer" else {
            return nil
        }
        let token = bytes[space...].drop { $0 == UInt8(ascii: " ") }
        return token.isEmpty ? nil : String(Substring(token))
    }
}
