internal import Contracts
internal import WorkerKit

/// Finds out on whose behalf a request comes, from its `Authorization` field (RFC 6750, section 2.1).
struct Authenticator: Sendable {
    private let verifier: TokenVerifier
    private let cache: TokenCache

    init(verifier: TokenVerifier, cache: TokenCache) {
        self.verifier = verifier
        self.cache = cache
    }

    /// The caller that a field's bearer token stands for.
    ///
    /// - Throws: `unauthenticated` where there is no bearer token, `invalid-token` where it is not taken.
    func caller(of authorization: String?) throws(Problem) -> Caller {
        guard let authorization, let token = Self.bearerToken(authorization) else {
            throw Problem(.unauthenticated)
        }
        let now = Timestamp.now()
        if let verified = cache.find(token, at: now) { return verified.caller }
        do throws(TokenVerifier.Fault) {
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
