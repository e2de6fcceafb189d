package import Reactor

/// A failure to compute or to check a hash. A wrong password is not an error.
package struct Argon2Error: CodedError {
    /// The kind of failure.
    package let code: ErrorCode<Argon2Error>
    /// Describes the failure without the password and the hash.
    package let message: String
    /// The place in Warren's source that made the error.
    package let location: ErrorLocation

    init(
        _ code: ErrorCode<Argon2Error>, _ message: String, fileID: StaticString = #fileID, line: UInt = #line
    ) {
        self.code = code
        self.message = message
        location = ErrorLocation(fileID: fileID, line: line)
    }

    /// Whether the same call can succeed later: the task was cancelled, or memory or random bytes were not available.
    package var isTransient: Bool {
        switch code {
        case .outOfMemory, .noRandomness, .cancelled: true
        default: false
        }
    }
}

extension ErrorCode where Failure == Argon2Error {
    /// The stored hash is not an argon2id hash in PHC form, or its cost is higher than Warren allows.
    package static var malformedHash: Self { Self("malformed-hash") }
    /// argon2 does not allow the cost.
    package static var invalidCost: Self { Self("invalid-cost") }
    /// The system has too little memory for the computation.
    package static var outOfMemory: Self { Self("out-of-memory") }
    /// The system provided no random bytes for a salt.
    package static var noRandomness: Self { Self("no-randomness") }
    /// The task was cancelled before its computation began.
    package static var cancelled: Self { Self("cancelled") }
    /// The library failed in another way.
    package static var library: Self { Self("library") }
}
