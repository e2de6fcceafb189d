internal import CPostgres

extension ConnectionHandle {
    /// Why connecting has failed; with an SQLSTATE where it was the server that refused.
    ///
    /// Of a connection that was never made libpq has no result and so no error fields: the state is in its message alone,
    /// and there only where that is verbose (PQsetErrorVerbosity).
    var connectError: PostgresError {
        let lines = PQerrorMessage(pointer).map { String(cString: $0) } ?? ""
        let message = lines.split(separator: "\n").filter { !$0.hasPrefix("LOCATION:") }.joined(separator: " ")
        return PostgresError(
            storage: PostgresError.Storage(
                code: .connectFailed, sqlState: Self.sqlState(in: message), message: message))
    }

    /// Has libpq say the SQLSTATE of the server's refusals, or no longer.
    func saysSQLState(_ isSaid: Bool) {
        PQsetErrorVerbosity(pointer, isSaid ? PQERRORS_VERBOSE : PQERRORS_DEFAULT)
    }

    /// The state in `FATAL:  28P01: password authentication failed`; of several hosts' the last.
    static func sqlState(in message: String) -> String? {
        var state: String?
        var rest = message[...]
        while let mark = rest.firstRange(of: ":  ") {
            rest = rest[mark.upperBound...]
            let code = rest.prefix(5)
            guard code.utf8.count == 5, rest.dropFirst(5).hasPrefix(": "),
                code.utf8.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) })
            else { continue }
            state = String(code)
        }
        return state
    }
}
