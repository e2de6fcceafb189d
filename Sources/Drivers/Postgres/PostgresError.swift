/// What went wrong with a query, a transaction, a connection or a migration.
///
/// `message`, `detail` and `hint` are the server's or libpq's own words: they are for logs, never for clients.
package struct PostgresError: Error, Sendable {
    /// All that is known, behind one reference: errors travel through every result, and few of them are errors.
    final class Storage: Sendable {
        let code: Code
        let sqlState: String?
        let message: String
        let detail: String?
        let hint: String?
        let constraint: String?
        let table: String?
        let column: String?
        let cause: PostgresError?

        init(
            code: Code, sqlState: String? = nil, message: String, detail: String? = nil, hint: String? = nil,
            constraint: String? = nil, table: String? = nil, column: String? = nil, cause: PostgresError? = nil
        ) {
            self.code = code
            self.sqlState = sqlState
            self.message = message
            self.detail = detail
            self.hint = hint
            self.constraint = constraint
            self.table = table
            self.column = column
            self.cause = cause
        }
    }

    let storage: Storage

    init(storage: Storage) {
        self.storage = storage
    }

    init(_ code: Code, _ message: String, cause: PostgresError? = nil) {
        storage = Storage(code: code, message: message, cause: cause)
    }

    /// What kind of failure it is.
    package var code: Code { storage.code }
    /// The error that this one follows from: for ``Code/aborted``, the first one of the transaction.
    package var cause: PostgresError? { storage.cause }
    /// The five characters of the server's SQLSTATE, those of the cause where this error has none of its own.
    package var sqlState: String? { storage.sqlState ?? cause?.sqlState }
    /// The name of the constraint that was violated, that of the cause where this error has none of its own.
    package var constraint: String? { storage.constraint ?? cause?.constraint }
    /// The table the server names, if it does.
    package var table: String? { storage.table ?? cause?.table }
    /// The column the server names, or the one that could not be decoded.
    package var column: String? { storage.column ?? cause?.column }
    /// The server's or the driver's words; for logs only.
    package var message: String { storage.message }
    /// The server's further words, which may contain values of rows; for logs only, and not at every level.
    package var detail: String? { storage.detail ?? cause?.detail }
    /// The server's advice; for logs only.
    package var hint: String? { storage.hint ?? cause?.hint }
}

extension PostgresError: CustomStringConvertible {
    /// One line with the code, the SQLSTATE, the constraint and the message; without the detail, which may hold values.
    package var description: String {
        var text = code.description
        if let state = storage.sqlState, code != .sqlState(state) { text += " [\(state)]" }
        if let constraint = storage.constraint { text += " (\(constraint))" }
        text += ": \(message)"
        if let cause { text += "; after \(cause)" }
        return text
    }
}
