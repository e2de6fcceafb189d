package import Reactor

/// A failure of a statement, a transaction, a connection or a migration.
///
/// The texts ``message`` and ``detail`` come from the server, from libpq or from the driver. They are for
/// logs and must not be sent to clients.
package struct PostgresError: CodedError {
    /// The error's fields. They are stored behind one reference, so that an error takes little space in a `Result`.
    final class Storage: Sendable {
        let code: ErrorCode<PostgresError>
        let message: String
        let sqlState: String?
        let detail: String?
        let constraint: String?
        let table: String?
        let column: String?
        let cause: PostgresError?
        let location: ErrorLocation

        init(
            _ code: ErrorCode<PostgresError>, _ message: String, sqlState: String?, detail: String?,
            constraint: String?, table: String?, column: String?, cause: PostgresError?, location: ErrorLocation
        ) {
            self.code = code
            self.message = message
            self.sqlState = sqlState
            self.detail = detail
            self.constraint = constraint
            self.table = table
            self.column = column
            self.cause = cause
            self.location = location
        }
    }

    let storage: Storage

    init(
        _ code: ErrorCode<PostgresError>, _ message: String, sqlState: String? = nil, detail: String? = nil,
        constraint: String? = nil, table: String? = nil, column: String? = nil,
        cause: PostgresError? = nil, fileID: StaticString = #fileID, line: UInt = #line
    ) {
        storage = Storage(
            code, message, sqlState: sqlState, detail: detail, constraint: constraint, table: table,
            column: column, cause: cause, location: ErrorLocation(fileID: fileID, line: line))
    }

    /// The kind of failure.
    package var code: ErrorCode<PostgresError> { storage.code }
    /// The message of the server, of libpq or of the driver.
    package var message: String { storage.message }
    /// The `PostgresError` that led to this error. If the code is `aborted`, this is the first failure of the
    /// transaction.
    package var cause: (any Error)? { storage.cause }
    /// The place in Warren's source code at which the error was made.
    package var location: ErrorLocation { storage.location }
    /// The server's SQLSTATE (five characters), or else the SQLSTATE of the cause.
    package var sqlState: String? { storage.sqlState ?? storage.cause?.sqlState }
    /// The name of the violated constraint, or else the constraint of the cause.
    package var constraint: String? { storage.constraint ?? storage.cause?.constraint }
    /// The table that the server names, if any.
    package var table: String? { storage.table ?? storage.cause?.table }
    /// The column that the server names or that could not be decoded, if any.
    package var column: String? { storage.column ?? storage.cause?.column }
    /// The server's detailed message. It can contain values of rows, so ``description`` leaves it out.
    package var detail: String? { storage.detail ?? storage.cause?.detail }

    /// One line with the code, the SQLSTATE, the constraint, the message and the cause. It leaves out the detail,
    /// which can contain values of rows.
    package var description: String {
        var text = code.description
        if let state = storage.sqlState, code != .sqlState(state) { text += " [\(state)]" }
        if let constraint = storage.constraint { text += " (\(constraint))" }
        text += ": \(message)"
        if let cause = storage.cause { text += "; cause: \(cause)" }
        return text
    }
}
