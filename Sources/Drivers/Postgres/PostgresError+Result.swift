internal import CPostgres
internal import Reactor

extension PostgresError {
    /// Makes an error from a result of libpq. A result without an SQLSTATE comes from libpq itself and means that the
    /// connection broke, so the code is `connectionLost`.
    init(result: OpaquePointer, fileID: StaticString = #fileID, line: UInt = #line) {
        // The strings are copied, because the result owns them (PQresultErrorField).
        func field(_ code: Int32) -> String? {
            PQresultErrorField(result, code).map { String(cString: $0) }
        }
        let state = field(WARREN_PG_SQLSTATE)
        let message = field(WARREN_PG_MESSAGE) ?? PQresultErrorMessage(result).map { String(cString: $0) } ?? ""
        self.init(
            state.map { .sqlState($0) } ?? .connectionLost, message.split(separator: "\n").joined(separator: " "),
            sqlState: state, detail: field(WARREN_PG_DETAIL),
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

    /// Whether an earlier statement of the transaction failed, and this error does not contain the earlier failure. The
    /// server has then refused this statement (25P02) or skipped it (an aborted pipeline).
    var lacksCause: Bool {
        storage.sqlState == "25P02" || (code == .aborted && storage.cause.map(\.lacksCause) ?? true)
    }

    /// Whether the server refuses writes in this session (25006), for example because it has become a standby. The
    /// connection stays open, and a new connection may accept writes.
    var isOfReadOnlySession: Bool { storage.sqlState == "25006" }

    /// Whether the connection is closed: it broke, its transaction's deadline passed, or the server closes it with this
    /// error (57P01 to 57P05).
    var endsConnection: Bool {
        switch code {
        case .connectionLost, .deadlineExceeded: true
        default: storage.sqlState?.hasPrefix("57P0") ?? false
        }
    }
}
