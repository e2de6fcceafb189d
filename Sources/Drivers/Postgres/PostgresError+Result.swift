internal import CPostgres
internal import Reactor

extension PostgresError {
    /// Reads the error of a result. An error without an SQLSTATE is libpq's own, because the connection broke.
    init(result: OpaquePointer, fileID: StaticString = #fileID, line: UInt = #line) {
        // The result owns the strings (PQresultErrorField), so they are copied.
        func field(_ code: Int32) -> String? {
            PQresultErrorField(result, code).map { String(cString: $0) }
        }
        let state = field(WARREN_PG_SQLSTATE)
        let message = field(WARREN_PG_MESSAGE) ?? PQresultErrorMessage(result).map { String(cString: $0) } ?? ""
        self.init(
            state.map { .sqlState($0) } ?? .connectionLost, message.split(separator: "\n").joined(separator: " "),
            sqlState: state, detail: field(WARREN_PG_DETAIL), hint: field(WARREN_PG_HINT),
            constraint: field(WARREN_PG_CONSTRAINT), table: field(WARREN_PG_TABLE), column: field(WARREN_PG_COLUMN),
            fileID: fileID, line: line)
    }

    /// Makes the error of a statement that an earlier failure of its transaction aborted.
    static func aborted(
        by cause: PostgresError?, fileID: StaticString = #fileID, line: UInt = #line
    ) -> PostgresError {
        PostgresError(
            .aborted, "an earlier statement of the transaction failed", cause: cause, fileID: fileID, line: line)
    }

    /// Whether the statement was refused or skipped because its transaction had failed, and the error does not
    /// name that failure (25P02, or an aborted pipeline).
    var lacksCause: Bool {
        storage.sqlState == "25P02" || (code == .aborted && storage.cause.map(\.lacksCause) ?? true)
    }

    /// Whether the connection is lost, or the server ends it with this error (57P01 to 57P05).
    var endsConnection: Bool {
        switch code {
        case .connectionLost, .deadlineExceeded: true
        default: storage.sqlState?.hasPrefix("57P0") ?? false
        }
    }
}
