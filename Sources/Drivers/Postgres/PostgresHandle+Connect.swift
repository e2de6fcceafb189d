internal import CPostgres
internal import Logging
internal import Reactor

extension PostgresHandle {
    /// Connects and authenticates without blocking the loop.
    ///
    /// - Throws: ``PostgresError`` with the codes `connectFailed`, `deadlineExceeded` or `cancelled`.
    @Loop static func connect(_ url: String, until deadline: ContinuousClock.Instant, log: Logger)
        async throws(PostgresError) -> PostgresHandle
    {
        let handle = try await start(url, log: log)
        // "Behave as if the last call had returned PGRES_POLLING_WRITING" (PQconnectStartParams). If this loop
        // throws, the last reference closes the handle, because a step that was abandoned may still use it.
        var interest = Readiness.writable
        while true {
            try await handle.waitUntilReady(for: interest, until: deadline)
            switch try await handle.step() {
            case PGRES_POLLING_OK:
                guard PQsetnonblocking(handle.pointer, 1) == 0 else {
                    throw PostgresError(.connectFailed, handle.message)
                }
                handle.showSQLStates(false)
                return handle
            case PGRES_POLLING_READING: interest = .readable
            case PGRES_POLLING_WRITING: interest = .writable
            default: throw handle.connectError
            }
        }
    }

    /// Waits until the socket is ready.
    ///
    /// - Throws: ``PostgresError`` if the deadline passes or the task is cancelled first.
    @Loop func waitUntilReady(
        for interest: Readiness, until deadline: ContinuousClock.Instant
    ) async throws(PostgresError) {
        let waiter = Waiter<Void>()
        let watch: LoopWatch
        do {
            watch = try Loop.watch(descriptor, for: interest) { _ in waiter.resume() }
        } catch {
            throw PostgresError(.connectionLost, error.description)
        }
        defer { watch.cancel() }
        guard await waiter.wait(until: deadline) != nil else {
            if Task.isCancelled { throw PostgresError(.cancelled, "the task was cancelled") }
            throw PostgresError(.deadlineExceeded, "the server did not answer in time")
        }
    }

    // MARK: Steps off the loop

    /// Starts to connect, off the loop because libpq resolves host names here, which can block.
    @Loop private static func start(_ url: String, log: Logger) async throws(PostgresError) -> PostgresHandle {
        let started = await onOwnThread { Result { () throws(PostgresError) in try begin(url, log) } }
        guard let started else { throw abandoned }
        return try started.get()
    }

    /// Takes the next step of connecting, off the loop because it can resolve another host name or do a TLS
    /// handshake.
    ///
    /// - Throws: ``PostgresError`` if the task is cancelled. The step continues, so the handle must not be closed
    ///   but released.
    @Loop private func step() async throws(PostgresError) -> PostgresPollingStatusType {
        guard let status = await onOwnThread({ PQconnectPoll(self.pointer) }) else { throw Self.abandoned }
        return status
    }

    private static var abandoned: PostgresError {
        Task.isCancelled
            ? PostgresError(.cancelled, "the task was cancelled")
            : PostgresError(.connectFailed, "no thread could be created to connect on")
    }

    private static func begin(_ url: String, _ log: Logger) throws(PostgresError) -> PostgresHandle {
        // The URL overrides the options before `dbname`; the options after it override the URL
        // (PQconnectdbParams).
        let options = [
            ("fallback_application_name", "warren"), ("tcp_user_timeout", "30000"), ("keepalives_idle", "30"),
            ("dbname", url), ("client_encoding", "UTF8"),
        ]
        let connection = withCStrings(options.map(\.0)) { names in
            withCStrings(options.map(\.1)) { values in
                PQconnectStartParams(names, values, 1)
            }
        }
        guard let connection else { throw PostgresError(.connectFailed, "out of memory") }
        let handle = PostgresHandle(connection, log: log)
        handle.showSQLStates(true)
        guard PQstatus(connection) != CONNECTION_BAD else { throw PostgresError(.connectFailed, handle.message) }
        return handle
    }

    // MARK: Errors

    /// The reason why connecting failed, with the SQLSTATE if the server refused the connection.
    ///
    /// A connection that was never made has no result and so no error fields. libpq shows the SQLSTATE only in
    /// the message, and only if the message is verbose (PQsetErrorVerbosity).
    private var connectError: PostgresError {
        let lines = PQerrorMessage(pointer).map { String(cString: $0) } ?? ""
        let message = lines.split(separator: "\n").filter { !$0.hasPrefix("LOCATION:") }.joined(separator: " ")
        return PostgresError(.connectFailed, message, sqlState: Self.sqlState(in: message))
    }

    /// Makes libpq include SQLSTATEs in its error messages, or stop doing so.
    private func showSQLStates(_ isShown: Bool) {
        PQsetErrorVerbosity(pointer, isShown ? PQERRORS_VERBOSE : PQERRORS_DEFAULT)
    }

    /// Returns the SQLSTATE in a message such as `FATAL:  28P01: password authentication failed`, the last one if
    /// several hosts were tried.
    private static func sqlState(in message: String) -> String? {
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

private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
) -> Result {
    var bytes: [CChar] = []
    var offsets: [Int] = []
    for string in strings {
        offsets.append(bytes.count)
        bytes.append(contentsOf: string.utf8CString)
    }
    return bytes.withUnsafeBufferPointer { bytes in
        var pointers = offsets.map { offset in bytes.baseAddress.map { $0 + offset } }
        pointers.append(nil)
        return body(pointers)
    }
}
