/// Why a password could not be hashed or checked; a wrong password is not among it.
package struct Argon2Error: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of a failure; compare it with the constants, of which later versions may have more.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, for logs.
        package let description: String

        private init(_ name: String) {
            description = name
        }

        /// The stored hash is not an argon2id hash in PHC form, or asks for more than any hash of Warren does.
        package static let malformedHash = Code("malformedHash")
        /// The cost is outside what argon2 allows.
        package static let invalidCost = Code("invalidCost")
        /// There was no memory for the computation.
        package static let outOfMemory = Code("outOfMemory")
        /// The system gave no random bytes for a salt.
        package static let noRandomness = Code("noRandomness")
        /// The task was cancelled while it waited for its turn.
        package static let cancelled = Code("cancelled")
        /// The library failed in another way.
        package static let library = Code("library")
    }

    /// The kind of the failure.
    package let code: Code
    /// What happened, without the password or the hash.
    package let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The kind and what happened.
    package var description: String {
        "\(code): \(message)"
    }
}
