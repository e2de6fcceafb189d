internal import Argon2

/// Hashes and verifies passwords with Argon2id.
///
/// A password is first converted to Unicode normalization form C (RFC 8265, section 4.2), because some
/// systems send precomposed characters and others decomposed ones. The password is not changed otherwise.
struct PasswordHasher: Sendable {
    /// Returns the encoded hash of a password.
    typealias Hash = @Sendable (_ password: [UInt8]) async throws -> String
    /// Returns whether a hash is the hash of a password.
    typealias Verify = @Sendable (_ password: [UInt8], _ hash: String) async throws -> Bool

    private let hashing: Hash
    private let verifying: Verify

    /// Makes a hasher.
    ///
    /// - Parameters:
    ///   - hash: hashes a normalized password; by default off the event loop, at `Argon2Cost.standard`.
    ///   - verify: verifies a normalized password; by default off the event loop.
    init(
        hash: @escaping Hash = { try await PasswordHash.hash($0) },
        verify: @escaping Verify = { try await PasswordHash.verify($0, against: $1) }
    ) {
        hashing = hash
        verifying = verify
    }

    /// Returns the encoded hash of a new password.
    func hash(_ password: String) async throws -> String {
        try await hashing(Self.normalized(password))
    }

    /// Returns whether a password matches a stored hash.
    ///
    /// - Parameter hash: `nil` for an unknown account. The password is then verified against ``dummyHash``,
    ///   so that the response takes as long as for a known account.
    func verify(_ password: String, against hash: String?) async throws -> Bool {
        let matches = try await verifying(Self.normalized(password), hash ?? Self.dummyHash)
        return matches && hash != nil
    }

    private static func normalized(_ password: String) -> [UInt8] {
        Array(password.composed.utf8)
    }

    /// A well-formed hash with the standard cost that is not the hash of any known password.
    static let dummyHash: String = {
        let cost = Argon2Cost.standard
        let salt = String(repeating: "A", count: 22)
        let hash = String(repeating: "A", count: 43)
        return "$argon2id$v=19$m=\(cost.memory),t=\(cost.passes),p=\(cost.lanes)$\(salt)$\(hash)"
    }()
}
