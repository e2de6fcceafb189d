package import Reactor

/// A failure of a statement, a transaction, a connection or a migration.
///
/// ``message``, ``detail`` and ``hint`` are the words of the server, of libpq or of the driver. They belong in
/// logs and must not be sent to clients.
package struct PostgresError: CodedError {
    /// The error's fields. They are behind one reference because every result has room for an error and few are
    /// errors.
    final class Storage: Sendable {
        let code: ErrorCode<PostgresError>
        let message: String
        let sqlState: String?
        let detail: String?
        let hint: String?
        let constraint: String?
        let table: String?
        let column: String?
        let cause: PostgresError?
        let location: ErrorLocation

        init(
            _ code: ErrorCode<PostgresError>, _ message: String, sqlState: String?, detail: String?, hint: String?,
            constraint: String?, table: String?, column: String?, cause: PostgresError?, location: ErrorLocation
        ) {
            self.code = code
            self.message = message
            self.sqlState = sqlState
            self.detail = detail
            self.hint = hint
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
        hint: String? = nil, constraint: String? = nil, table: String? = nil, column: String? = nil,
        cause: PostgresError? = nil, fileID: StaticString = #fileID, line: UInt = #line
    ) {
        storage = Storage(
            code, message, sqlState: sqlState, detail: detail, hint: hint, constraint: constraint, table: table,
            column: column, cause: cause, location: ErrorLocation(fileID: fileID, line: line))
    }

    /// The kind of failure.
    package var code: ErrorCode<PostgresError> { storage.code }
    /// The words of the server, of libpq or of the driver.
    package var message: String { storage.message }
    /// The `PostgresError` that this one follows from: with the code `aborted`, the first failure of the
    /// transaction.
    package var cause: (any Error)? { storage.cause }
    /// The place in Warren's source that made the error.
    package var location: ErrorLocation { storage.location }
    /// The server's SQLSTATE, five characters, or that of the cause.
    package var sqlState: String? { storage.sqlState ?? storage.cause?.sqlState }
    /// The name of the violated constraint, or that of the cause.
    package var constraint: String? { storage.constraint ?? storage.cause?.constraint }
    /// The table that the server names, if any.
    package var table: String? { storage.table ?? storage.cause?.table }
    /// The column that the server names or that could not be decoded, if any.
    package var column: String? { storage.column ?? storage.cause?.column }
    /// More of the server's words. They can contain values of rows, so not every log level may show them.
    package var detail: String? { storage.detail ?? storage.cause?.detail }
    /// The server's advice.
    package var hint: String? { storage.hint ?? storage.cause?.hint }

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
