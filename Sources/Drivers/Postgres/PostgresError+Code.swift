package import Reactor

extension ErrorCode where Failure == PostgresError {
    /// The server reported an error with this SQLSTATE (PostgreSQL manual, appendix A).
    package static func sqlState(_ state: String) -> Self { Self("sqlstate-\(state)") }
    /// The connection broke while the statement was in flight. An autocommit write may have happened.
    package static var connectionLost: Self { Self("connection-lost") }
    /// No connection is open, the pool is closed, or too many statements or transactions are waiting. Nothing was sent.
    package static var unavailable: Self { Self("unavailable") }
    /// The deadline passed. An autocommit write may have happened or may still happen.
    package static var deadlineExceeded: Self { Self("deadline-exceeded") }
    /// The waiting task was cancelled. An autocommit write may have happened or may still happen.
    package static var cancelled: Self { Self("cancelled") }
    /// An earlier failure aborted the transaction. The earlier failure is the error's `cause`.
    package static var aborted: Self { Self("aborted") }
    /// The connection broke during a commit. The transaction may or may not have been committed.
    package static var outcomeUnknown: Self { Self("outcome-unknown") }
    /// A column does not exist, has another type than the requested one, or is NULL although the requested type is not
    /// optional.
    package static var decoding: Self { Self("decoding") }
    /// A parameter cannot be sent, because its text contains NUL or it is too large.
    package static var invalidParameter: Self { Self("invalid-parameter") }
    /// The transaction has already ended.
    package static var ended: Self { Self("ended") }
    /// A migration failed, its SQL has changed since it was applied, or two migrations have the same name.
    package static var migration: Self { Self("migration") }
    /// The server sent a response that the driver did not expect.
    package static var protocolViolation: Self { Self("protocol-violation") }
    /// A connection could not be made, for example because of the address, the certificate or the password.
    package static var connectFailed: Self { Self("connect-failed") }
}

extension PostgresError {
    /// Whether the same statement or transaction can succeed if it is repeated later.
    ///
    /// True if a connection is lost or not available, if the server cannot be reached, if a deadline passed, if the
    /// waiting task was cancelled, and if the outcome of a commit is unknown. True for these SQLSTATEs: connection
    /// exceptions (class 08), insufficient resources (class 53), operator intervention (57P0x, 57014), read-only
    /// transactions (25006), serialization failures and deadlocks (40001, 40P01), lock timeouts (55P03) and stale plans
    /// (0A000).
    package var isTransient: Bool {
        switch code {
        case .connectionLost, .unavailable, .deadlineExceeded, .outcomeUnknown, .cancelled: true
        // Without an SQLSTATE the server could not be reached, and may be reachable later. A server that refuses the
        // role, the password or the database refuses them again.
        case .connectFailed: storage.sqlState.map(Self.isTransient) ?? true
        case .aborted: storage.cause?.isTransient ?? true
        case .migration: storage.cause?.isTransient ?? false
        default: storage.sqlState.map(Self.isTransient) ?? false
        }
    }

    /// Whether the server or the connection to it caused the error, so that every other statement fails in the same way
    /// until the server is available again.
    ///
    /// True if a connection is lost, cannot be made or is not available, and if the outcome of a commit is unknown.
    /// True for these SQLSTATEs: connection exceptions (class 08), a refused login (28), an unknown database (3D000),
    /// insufficient resources (53), operator intervention (57P0x), system errors (58), and read-only transactions
    /// (25006). False for a deadline that passed, because the statement itself may be too slow.
    package var isOutage: Bool {
        switch code {
        case .connectionLost, .unavailable, .outcomeUnknown, .connectFailed: true
        case .aborted, .migration: storage.cause?.isOutage ?? false
        default: storage.sqlState.map(Self.isOutage) ?? false
        }
    }

    private static func isOutage(sqlState: String) -> Bool {
        ["08", "28", "3D000", "53", "57P0", "58", "25006"].contains { sqlState.hasPrefix($0) }
    }

    private static func isTransient(sqlState: String) -> Bool {
        switch sqlState {
        case "40001", "40P01", "55P03", "57014", "25006", stalePlan: true
        default: sqlState.hasPrefix("53") || sqlState.hasPrefix("57P0") || sqlState.hasPrefix("08")
        }
    }

    /// The SQLSTATE of the error `cached plan must not change result type`. The error occurs after a migration has
    /// changed a table that a prepared statement uses.
    static let stalePlan = "0A000"
    /// The SQLSTATE of the error `prepared statement does not exist`.
    static let unknownStatement = "26000"

    /// Whether a unique constraint was violated (23505).
    ///
    /// - Parameter name: the constraint's name; `nil` for any constraint.
    package func isUniqueViolation(of name: String? = nil) -> Bool {
        sqlState == "23505" && (name == nil || constraint == name)
    }
}
