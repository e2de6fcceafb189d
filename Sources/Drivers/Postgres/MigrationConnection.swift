internal import CPostgres
internal import Logging
internal import Reactor

/// A connection outside the pool. It runs commands one after another, without pipeline mode.
///
/// Migrations use it because a migration can hold several commands, and pipeline mode allows only one command in a
/// query (libpq manual, "Pipeline Mode").
@Loop final class MigrationConnection {
    private let handle: PostgresHandle
    private let deadline: ContinuousClock.Instant

    /// Connects.
    ///
    /// - Parameters:
    ///   - connectDeadline: the time at which connecting fails with `deadlineExceeded`.
    ///   - deadline: the time at which the running command fails with `deadlineExceeded`.
    init(
        _ url: String, connectedBy connectDeadline: ContinuousClock.Instant, until deadline: ContinuousClock.Instant,
        log: Logger
    ) async throws(PostgresError) {
        self.deadline = deadline
        handle = try await PostgresHandle.connect({ url }, within: min(connectDeadline, deadline) - .now, log: log)
        for setting in Statement.connectionSettings {
            do {
                try await run(setting.sql)
            } catch {
                guard error.isUnsupportedSetting else { throw error }
            }
        }
    }

    func close() {
        handle.close()
    }

    /// Whether a transaction is open and has not failed (PQtransactionStatus).
    var isInTransaction: Bool { PQtransactionStatus(handle.pointer) == PQTRANS_INTRANS }

    /// Runs one or more commands with the simple query protocol.
    func run(_ script: String) async throws(PostgresError) {
        guard PQsendQuery(handle.pointer, script) == 1 else { throw connectionLost() }
        _ = try await lastResult()
    }

    /// Runs one command with parameters.
    func query<each Parameter: PostgresEncodable>(_ sql: String, _ parameters: repeat each Parameter)
        async throws(PostgresError) -> Rows?
    {
        var buffer = ParameterBuffer()
        repeat (each parameters).encode(into: &buffer)
        if let error = buffer.error { throw error }
        let types = buffer.types
        let isSent = buffer.withArrays { count, values, lengths, formats in
            PQsendQueryParams(handle.pointer, sql, count, types, values, lengths, formats, 1) == 1
        }
        guard isSent else { throw connectionLost() }
        return try await lastResult()
    }

    private func connectionLost(fileID: StaticString = #fileID, line: UInt = #line) -> PostgresError {
        PostgresError(.connectionLost, handle.message, fileID: fileID, line: line)
    }

    /// Waits for the results of all commands. Returns the last result, or throws the first error.
    private func lastResult() async throws(PostgresError) -> Rows? {
        while true {
            let flushResult = PQflush(handle.pointer)
            guard flushResult >= 0 else { throw connectionLost() }
            if flushResult == 0 { break }
            try await handle.waitUntilReady(for: [.readable, .writable], until: deadline)
            guard PQconsumeInput(handle.pointer) == 1 else { throw connectionLost() }
        }
        var rows: Rows?
        var failure: PostgresError?
        while true {
            while PQisBusy(handle.pointer) == 1 {
                try await handle.waitUntilReady(for: .readable, until: deadline)
                guard PQconsumeInput(handle.pointer) == 1 else { throw connectionLost() }
            }
            guard let result = PQgetResult(handle.pointer) else { break }
            let owner = ResultHandle(result)
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: rows = Rows(owner)
            case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE: failure = failure ?? PostgresError(result: result)
            // All other statuses belong to COPY. The caller closes the connection after an error, which ends the COPY.
            default: throw PostgresError(.protocolViolation, "COPY is not supported")
            }
        }
        if let failure { throw failure }
        return rows
    }
}
