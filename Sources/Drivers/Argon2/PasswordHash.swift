internal import CArgon2
internal import Glibc
internal import Reactor

/// Password hashes made with argon2id (RFC 9106). They are computed on Swift's global thread pool and not on the event
/// loop, a limited number at a time.
package enum PasswordHash {
    /// The maximum number of hashes that the process computes at the same time. Each computation needs a thread and the
    /// memory of its cost.
    static let concurrentComputations = 2

    @Loop static let semaphore = Semaphore(concurrentComputations)
    private static let saltSize = 16
    private static let hashSize = 32

    /// Hashes a password with a new random salt.
    ///
    /// - Parameters:
    ///   - password: the bytes of the password.
    ///   - cost: the cost of the computation.
    /// - Returns: the hash in PHC form, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
    /// - Throws: ``Argon2Error``, but never because of the password.
    @Loop package static func hash(
        _ password: [UInt8], cost: Argon2Cost = .standard
    ) async throws(Argon2Error) -> String {
        let salt = try randomSalt()
        return try await compute { hash(password, salt: salt, hashSize: hashSize, cost: cost) }
    }

    /// Checks a password against a stored hash.
    ///
    /// - Parameters:
    ///   - password: the bytes of the password.
    ///   - encoded: the stored hash, a result of ``hash(_:cost:)``.
    /// - Returns: whether the hash was made from this password.
    /// - Throws: ``Argon2Error`` with the code `malformedHash` if the stored hash is malformed or costs too much.
    @Loop package static func verify(
        _ password: [UInt8], against encoded: String
    ) async throws(Argon2Error) -> Bool {
        guard let parts = EncodedHash(encoded) else {
            throw Argon2Error(.malformedHash, "the stored hash is not an argon2id hash in PHC form")
        }
        guard parts.cost.isWithinMaximum else {
            throw Argon2Error(.malformedHash, "the stored hash has a higher cost than Warren allows")
        }
        return try await compute { check(password, parts) }
    }

    @Loop private static func compute<Value: Sendable>(
        _ body: @Sendable () -> Result<Value, Argon2Error>
    ) async throws(Argon2Error) -> Value {
        guard await semaphore.acquire() else {
            throw Argon2Error(.cancelled, "the task was cancelled before its hash was computed")
        }
        defer { semaphore.release() }
        return try await offLoop(body).get()
    }

    private static func randomSalt() throws(Argon2Error) -> [UInt8] {
        var salt = [UInt8](repeating: 0, count: saltSize)
        guard getentropy(&salt, salt.count) == 0 else {
            throw Argon2Error(.noRandomness, "getentropy: errno \(errno)")
        }
        return salt
    }
}
