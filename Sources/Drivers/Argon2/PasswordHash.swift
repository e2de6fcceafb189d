internal import CArgon2
internal import Glibc

/// Passwords hashed with argon2id (RFC 9106), off the caller's executor and only so many at a time.
package enum PasswordHash {
    /// How many hashes the process computes at a time; each holds its cost's memory and a thread while it does.
    package static let concurrentComputations = 2

    static let permits = Permits(concurrentComputations)
    private static let saltCount = 16
    private static let hashCount = 32

    /// Hashes a password with a fresh random salt.
    ///
    /// - Parameters:
    ///   - password: the password's bytes.
    ///   - cost: what the hash is to cost.
    /// - Returns: the hash, its salt and its cost in PHC form, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
    /// - Throws: ``Argon2Error``, never for what the password is.
    @concurrent package static func hash(
        _ password: [UInt8], cost: Argon2Cost = .standard
    ) async throws(Argon2Error) -> String {
        let salt = try randomSalt()
        return try await compute { encode(password, salt: salt, hashCount: hashCount, cost: cost) }
    }

    /// Hashes a password, as UTF-8, as above.
    @concurrent package static func hash(
        _ password: String, cost: Argon2Cost = .standard
    ) async throws(Argon2Error) -> String {
        try await hash(Array(password.utf8), cost: cost)
    }

    /// Checks a password against a stored hash.
    ///
    /// - Parameters:
    ///   - password: the password's bytes.
    ///   - encoded: what ``hash(_:cost:)`` returned once, at whatever cost it had then.
    /// - Returns: whether it is the same password.
    /// - Throws: ``Argon2Error`` with the code `malformedHash` where the stored hash is none.
    @concurrent package static func verify(
        _ password: [UInt8], against encoded: String
    ) async throws(Argon2Error) -> Bool {
        guard let parts = EncodedHash(encoded) else {
            throw Argon2Error(.malformedHash, "not an argon2id hash in PHC form")
        }
        guard parts.cost.isWithinCeiling else {
            throw Argon2Error(.malformedHash, "the hash asks for more memory or passes than any of ours")
        }
        return try await compute { check(password, parts) }
    }

    /// Checks a password, as UTF-8, as above.
    @concurrent package static func verify(
        _ password: String, against encoded: String
    ) async throws(Argon2Error) -> Bool {
        try await verify(Array(password.utf8), against: encoded)
    }

    /// Whether a stored hash should be made anew at the next login, since its cost or its form is not today's.
    package static func needsRehash(_ encoded: String, cost: Argon2Cost = .standard) -> Bool {
        guard let parts = EncodedHash(encoded) else { return true }
        return parts.version != ARGON2_VERSION_NUMBER.rawValue || parts.cost != cost || parts.salt.count != saltCount
            || parts.hash.count != hashCount
    }

    /// Runs a computation in its turn, on the global pool even where the task prefers another executor, as a loop.
    private static func compute<Value: Sendable>(
        _ body: @Sendable () -> Result<Value, Argon2Error>
    ) async throws(Argon2Error) -> Value {
        guard await permits.acquire() else {
            throw Argon2Error(.cancelled, "cancelled while waiting for its turn")
        }
        defer { permits.release() }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) { body() }.get()
    }

    private static func randomSalt() throws(Argon2Error) -> [UInt8] {
        var salt = [UInt8](repeating: 0, count: saltCount)
        guard getentropy(&salt, salt.count) == 0 else {
            throw Argon2Error(.noRandomness, "getentropy: errno \(errno)")
        }
        return salt
    }
}
