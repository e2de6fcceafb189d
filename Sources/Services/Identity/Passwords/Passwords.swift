internal import Argon2
@_spi(_Unicode) internal import Swift

/// How passwords are hashed and checked.
///
/// A password is brought into Unicode's form NFC first (RFC 8265, section 4.2), so that it is the same one from a system
/// that composes characters and from one that takes them apart. It is changed in no other way.
struct Passwords: Sendable {
    /// Makes the hash that is stored.
    typealias Hash = @Sendable (_ password: [UInt8]) async throws -> String
    /// Tells whether a password is the one that a hash was made of.
    typealias Verify = @Sendable (_ password: [UInt8], _ hash: String) async throws -> Bool

    private let hashing: Hash
    private let verifying: Verify

    /// Makes it of its two functions: argon2id at its standard cost, off the loop, unless a test counts them.
    init(
        hash: @escaping Hash = { try await PasswordHash.hash($0) },
        verify: @escaping Verify = { try await PasswordHash.verify($0, against: $1) }
    ) {
        hashing = hash
        verifying = verify
    }

    /// Hashes a password that is being set.
    func hash(_ password: String) async throws -> String {
        try await hashing(Self.composed(password))
    }

    /// Checks a password against a stored hash; without one, against a hash that no password is known to have, which
    /// takes as long.
    func verify(_ password: String, against hash: String?) async throws -> Bool {
        let isRight = try await verifying(Self.composed(password), hash ?? Self.noPassword)
        return isRight && hash != nil
    }

    static func composed(_ password: String) -> [UInt8] {
        guard !password.utf8.allSatisfy({ $0 < 0x80 }) else { return Array(password.utf8) }
        var scalars = String.UnicodeScalarView()
        // The standard library's own normalisation, by which it compares strings; Foundation's would bring all of ICU.
        scalars.append(contentsOf: password._nfc)
        return Array(String(scalars).utf8)
    }

    /// A hash that no password is known to have.
    static let noPassword: String = {
        let cost = Argon2Cost.standard
        let salt = String(repeating: "A", count: 22)
        let hash = String(repeating: "A", count: 43)
        return "$argon2id$v=19$m=\(cost.memory),t=\(cost.passes),p=\(cost.lanes)$\(salt)$\(hash)"
    }()
}
