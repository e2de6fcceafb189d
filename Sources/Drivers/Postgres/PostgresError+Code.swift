extension PostgresError {
    /// A kind of failure; more may be added, so a `switch` over codes needs a default.
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The code as a log shows it.
        package let description: String

        /// The server refused, with this SQLSTATE (PostgreSQL manual, appendix A).
        package static func sqlState(_ state: String) -> Code { Code(description: "sqlstate-\(state)") }
        /// The connection broke while the statement was under way; whether an autocommitted write happened is unknown.
        package static let connectionLost = Code(description: "connection-lost")
        /// No connection is open, or too much waits already; nothing was sent.
        package static let unavailable = Code(description: "unavailable")
        /// The deadline passed; whether an autocommitted write happened is unknown.
        package static let deadlineExceeded = Code(description: "deadline-exceeded")
        /// The waiting task was cancelled; whether an autocommitted write happened is unknown.
        package static let cancelled = Code(description: "cancelled")
        /// An earlier failure of the same transaction took this statement with it; `cause` has that failure.
        package static let aborted = Code(description: "aborted")
        /// The connection broke while a commit was under way: the transaction may or may not have happened.
        package static let outcomeUnknown = Code(description: "outcome-unknown")
        /// A column is not of the type asked for, or is NULL where that was not asked for.
        package static let decoding = Code(description: "decoding")
        /// A parameter cannot be sent: a text with a NUL character, or more than 65,535 parameters.
        package static let invalidParameter = Code(description: "invalid-parameter")
        /// The transaction has ended already, or the pool is closed: a fault of the caller.
        package static let ended = Code(description: "ended")
        /// A migration differs from the one that was applied under its name, or cannot be applied.
        package static let migration = Code(description: "migration")
        /// The server answered something that this driver never asks for.
        package static let protocolViolation = Code(description: "protocol-violation")
        /// A connection could not be made: address, certificate, password, database.
        package static let connectFailed = Code(description: "connect-failed")
    }

    /// Whether the same work may succeed when it is done again later, unchanged.
    ///
    /// True for servers that cannot be reached or have no room, lost connections, deadlines and unavailability,
    /// serialization failures and deadlocks (40001, 40P01), lack of resources (class 53), operator intervention (57P0x,
    /// 57014) and lock timeouts (55P03).
    package var isTransient: Bool {
        switch code {
        case .connectionLost, .unavailable, .deadlineExceeded, .outcomeUnknown, .cancelled: true
        // A server that cannot be reached may come; one that refuses the role, the password or the database will not.
        case .connectFailed: storage.sqlState.map(Self.isTransient) ?? true
        case .aborted: cause?.isTransient ?? true
        case .migration: cause?.isTransient ?? false
        default: storage.sqlState.map(Self.isTransient) ?? false
        }
    }

    private static func isTransient(sqlState: String) -> Bool {
        switch sqlState {
        case "40001", "40P01", "55P03", "57014", stalePlan: true
        default: sqlState.hasPrefix("53") || sqlState.hasPrefix("57P0") || sqlState.hasPrefix("08")
        }
    }

    /// `cached plan must not change result type`: a migration changed the table; the next use prepares anew.
    static let stalePlan = "0A000"
    /// `prepared statement does not exist`.
    static let unknownStatement = "26000"

    /// Whether a unique constraint was violated (23505), of whatever name or of the one given.
    package func isUniqueViolation(of name: String? = nil) -> Bool {
        sqlState == "23505" && (name == nil || constraint == name)
    }
}
