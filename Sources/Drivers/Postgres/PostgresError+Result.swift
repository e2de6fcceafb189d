internal import CPostgres

extension PostgresError {
    /// Reads the error out of a result; where the server sent none, libpq made it up because the connection broke.
    init(result: OpaquePointer) {
        func field(_ code: Int32) -> String? {
            PQresultErrorField(result, code).map { String(cString: $0) }
        }
        let state = field(WARREN_PG_SQLSTATE)
        let message = field(WARREN_PG_MESSAGE) ?? PQresultErrorMessage(result).map { String(cString: $0) } ?? ""
        storage = Storage(
            code: state.map(Code.sqlState) ?? .connectionLost, sqlState: state,
            message: message.split(separator: "\n").joined(separator: " "), detail: field(WARREN_PG_DETAIL),
            hint: field(WARREN_PG_HINT), constraint: field(WARREN_PG_CONSTRAINT),
            table: field(WARREN_PG_TABLE), column: field(WARREN_PG_COLUMN))
    }

    /// A statement that an earlier failure of its transaction took with it.
    static func aborted(by cause: PostgresError?) -> PostgresError {
        PostgresError(.aborted, "an earlier statement of the transaction failed", cause: cause)
    }

    /// Whether the statement was refused because the transaction had failed before (25P02), or skipped with one that was:
    /// neither says for what.
    var isOfUnnamedFailure: Bool {
        storage.sqlState == "25P02" || (code == .aborted && cause.map(\.isOfUnnamedFailure) ?? true)
    }

    /// Whether the server ends the connection with this error (57P01 to 57P05), or has lost it.
    var endsConnection: Bool {
        switch code {
        case .connectionLost, .deadlineExceeded: true
        default: storage.sqlState?.hasPrefix("57P0") ?? false
        }
    }
}
