internal import CPostgres
internal import Logging
internal import Reactor

/// A connection outside the pool, which does one thing after the other: for migrations, whose files hold several commands
/// each, as pipeline mode does not allow.
@Loop final class Session {
    private let handle: ConnectionHandle
    private let deadline: ContinuousClock.Instant

    /// Connects.
    ///
    /// - Parameter deadline: for the whole life of the session.
    init(_ url: String, until deadline: ContinuousClock.Instant, log: Logger) async throws(PostgresError) {
        self.deadline = deadline
        handle = try await Connector.connect(url, until: deadline, log: log)
    }

    func close() {
        handle.close()
    }

    /// Whether a transaction is under way (PQtransactionStatus).
    var isInTransaction: Bool { PQtransactionStatus(handle.pointer) == PQTRANS_INTRANS }

    /// Runs any number of commands by the simple query protocol.
    func run(_ script: String) async throws(PostgresError) {
        guard PQsendQuery(handle.pointer, script) == 1 else { throw lost }
        _ = try await answer()
    }

    /// Runs one command with parameters.
    func query<each Parameter: PostgresEncodable>(_ sql: String, _ parameters: repeat each Parameter)
        async throws(PostgresError) -> Rows?
    {
        var buffer = ParameterBuffer()
        repeat (each parameters).encode(into: &buffer)
        if let fault = buffer.fault { throw fault }
        let types = buffer.types
        let isSent = buffer.withArrays { count, values, lengths, formats in
            PQsendQueryParams(handle.pointer, sql, count, types, values, lengths, formats, 1) == 1
        }
        guard isSent else { throw lost }
        return try await answer()
    }

    private var lost: PostgresError { PostgresError(.connectionLost, handle.message) }

    /// Waits for all results, the last of which is the answer, unless one is an error.
    private func answer() async throws(PostgresError) -> Rows? {
        while true {
            let left = PQflush(handle.pointer)
            guard left >= 0 else { throw lost }
            if left == 0 { break }
            try await Connector.ready(handle, for: [.readable, .writable], until: deadline)
            guard PQconsumeInput(handle.pointer) == 1 else { throw lost }
        }
        var rows: Rows?
        var failure: PostgresError?
        while true {
            while PQisBusy(handle.pointer) == 1 {
                try await Connector.ready(handle, for: .readable, until: deadline)
                guard PQconsumeInput(handle.pointer) == 1 else { throw lost }
            }
            guard let result = PQgetResult(handle.pointer) else { break }
            let owner = ResultHandle(result)
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: rows = Rows(owner)
            case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE: failure = failure ?? PostgresError(result: result)
            // COPY would want more from us: nothing but the end of the connection gets out of it.
            default: throw PostgresError(.protocolViolation, "COPY is not supported")
            }
        }
        if let failure { throw failure }
        return rows
    }
}
