internal import CPostgres
internal import Logging
internal import Reactor

extension PostgresHandle {
    /// The shortest time limit for one address of the server.
    private static let shortestShare: Duration = .seconds(2)

    /// Connects and authenticates without blocking the loop. Tries the addresses of all hosts in their order. If no
    /// `sslmode` is set and a host is not on this machine, the server's certificate is verified (``TLSOptions``). If
    /// there are several hosts and no `target_session_attrs` is set, a server that refuses writes is used only if no
    /// server accepts writes.
    ///
    /// - Parameter limit: the time limit for all addresses. They share it equally, so that an address that does not
    ///   answer leaves time for the others. Each of them has at least 2 s, even if the sum exceeds the limit. A
    ///   server that refuses writes gets the same time again for its second attempt.
    /// - Throws: ``PostgresError`` with the codes `connectFailed`, `deadlineExceeded` or `cancelled`. It is the error
    ///   of the last address.
    @Loop static func connect(
        _ url: @escaping @Sendable () throws -> String, within limit: Duration, log: Logger
    ) async throws(PostgresError) -> PostgresHandle {
        let options = try await readOptions(url)
        let resolver = HostName.resolver
        var lastError = PostgresError(.connectFailed, "the server has no address")
        var readOnly: [(address: ServerAddress, share: Duration)] = []
        for host in options.hosts {
            guard let addresses = await onOwnThread({ host.resolved(resolver) }) else { throw stepError }
            let share = max(limit / (options.hosts.count * addresses.count), min(shortestShare, limit))
            for address in addresses {
                do {
                    return try await connect(options, to: address, until: .now + share, log: log)
                } catch {
                    guard error.code != .cancelled else { throw error }
                    if error.isRefusedAsReadOnly { readOnly.append((address, share)) }
                    lastError = error
                }
            }
        }
        for (address, share) in readOnly where options.prefersWrites {
            do {
                return try await connect(options.acceptingReadOnly, to: address, until: .now + share, log: log)
            } catch {
                guard error.code != .cancelled else { throw error }
                lastError = error
            }
        }
        throw lastError
    }

    /// Evaluates the URL, which may be read from a file. A thread of its own does this.
    @Loop private static func readOptions(
        _ url: @escaping @Sendable () throws -> String
    ) async throws(PostgresError) -> ConnectOptions {
        guard let read = await onOwnThread({ Result { try ConnectOptions(url()) } }) else { throw stepError }
        do { return try read.get() } catch { throw PostgresError(.connectFailed, "\(error)") }
    }

    @Loop private static func connect(
        _ options: ConnectOptions, to address: ServerAddress, until deadline: ContinuousClock.Instant, log: Logger
    ) async throws(PostgresError) -> PostgresHandle {
        let handle = try await start(options, address, log: log)
        // Before the first step, "behave as if it last returned PGRES_POLLING_WRITING" (PQconnectStartParams).
        // If this loop throws, it does not close the handle, because an abandoned step may still use it. The handle is
        // closed when its last reference is released.
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

    /// Begins to connect to a server, and waits for the first byte of its answer.
    ///
    /// - Returns: whether none has come within the time limit. A server that refuses connections is not unresponsive:
    ///   it may still serve the open ones. An attempt that fails for another reason shows nothing.
    @Loop static func isUnresponsive(
        _ url: @escaping @Sendable () throws -> String, _ server: ServerAddress, within limit: Duration, log: Logger
    ) async -> Bool {
        do {
            let deadline = ContinuousClock.now + limit
            let handle = try await start(readOptions(url), server, log: log)
            var status = PGRES_POLLING_WRITING
            while status == PGRES_POLLING_WRITING {
                try await handle.waitUntilReady(for: .writable, until: deadline)
                status = try await handle.step()
            }
            if status == PGRES_POLLING_READING { try await handle.waitUntilReady(for: .readable, until: deadline) }
            return false
        } catch {
            return error.code == .deadlineExceeded
        }
    }

    /// Waits until the socket is ready.
    ///
    /// - Throws: ``PostgresError`` if the deadline passes or the task is cancelled first.
    @Loop func waitUntilReady(
        for interest: Readiness, until deadline: ContinuousClock.Instant
    ) async throws(PostgresError) {
        let readiness: Readiness?
        do {
            readiness = try await Loop.waitUntilReady(descriptor, for: interest, until: deadline)
        } catch {
            throw PostgresError(.connectionLost, error.description)
        }
        guard readiness != nil else {
            if Task.isCancelled { throw PostgresError(.cancelled, "the task was cancelled") }
            throw PostgresError(.deadlineExceeded, "the server did not answer in time")
        }
    }

    // MARK: Steps on a thread of their own

    /// Starts to connect. This step runs on a thread of its own, because libpq blocks while it reads files and resolves
    /// host names.
    @Loop private static func start(
        _ options: ConnectOptions, _ address: ServerAddress, log: Logger
    ) async throws(PostgresError) -> PostgresHandle {
        let started = await onOwnThread { Result { () throws(PostgresError) in try begin(options, address, log) } }
        guard let started else { throw stepError }
        return try started.get()
    }

    /// Takes the next step of connecting. The step runs on a thread of its own, because it can block: it can resolve
    /// another host name or do a TLS handshake.
    ///
    /// - Throws: ``PostgresError`` if the task is cancelled. The step then continues on its thread, so the caller must
    ///   release the handle without closing it.
    @Loop private func step() async throws(PostgresError) -> PostgresPollingStatusType {
        guard let status = await onOwnThread({ PQconnectPoll(self.pointer) }) else { throw Self.stepError }
        return status
    }

    /// The error of a step that returned no result.
    private static var stepError: PostgresError {
        Task.isCancelled
            ? PostgresError(.cancelled, "the task was cancelled")
            : PostgresError(.connectFailed, "a thread for connecting could not be created")
    }

    private static func begin(
        _ options: ConnectOptions, _ address: ServerAddress, _ log: Logger
    ) throws(PostgresError) -> PostgresHandle {
        let list = options.list(for: address)
        let connection = withCStrings(list.map(\.0)) { names in
            withCStrings(list.map(\.1)) { values in
                PQconnectStartParams(names, values, 1)
            }
        }
        guard let connection else { throw PostgresError(.connectFailed, "out of memory") }
        let handle = PostgresHandle(
            connection, to: address, verifiesByDefault: options.verifiesByDefault, log: log)
        handle.showSQLStates(true)
        guard PQstatus(connection) != CONNECTION_BAD else { throw PostgresError(.connectFailed, handle.message) }
        return handle
    }

    // MARK: Errors

    /// The error of a failed connection attempt. It has an SQLSTATE if the server refused the connection.
    ///
    /// A failed attempt has no result, and therefore no error fields. libpq writes the SQLSTATE only into the error
    /// message, and only if verbose messages are on (PQsetErrorVerbosity).
    private var connectError: PostgresError {
        let lines = PQerrorMessage(pointer).map { String(cString: $0) } ?? ""
        var message = lines.split(separator: "\n").filter { !$0.hasPrefix("LOCATION:") }.joined(separator: " ")
        if verifiesByDefault, message.contains("SSL") || message.contains("certificate") {
            message += " (sslmode is verify-full, because it is not set and the host is not on this machine)"
        }
        return PostgresError(.connectFailed, message, sqlState: Self.sqlState(in: message))
    }

    /// Turns verbose error messages, which contain the SQLSTATE, on or off.
    private func showSQLStates(_ isShown: Bool) {
        PQsetErrorVerbosity(pointer, isShown ? PQERRORS_VERBOSE : PQERRORS_DEFAULT)
    }

    /// Returns the last SQLSTATE in a message such as `FATAL:  28P01: password authentication failed`. The message has
    /// several SQLSTATEs if several hosts were tried.
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

extension PostgresError {
    /// Whether libpq refused the server because of `target_session_attrs=read-write`. libpq reports it only in its
    /// message, which is in English because the programs do not call setlocale(3).
    fileprivate var isRefusedAsReadOnly: Bool { message.contains("session is read-only") }
}

/// The options of a connection attempt, and the hosts that it tries.
private struct ConnectOptions: Sendable {
    private let url: String
    /// Options that the connection string overrides.
    private let defaults: [(String, String)]
    let hosts: [ServerAddress]
    /// Whether the driver itself has set `sslmode=verify-full`.
    let verifiesByDefault: Bool
    /// Whether libpq is to refuse servers that refuse writes, because the driver itself has chosen so.
    private(set) var prefersWrites: Bool

    /// The same options, with which a server may refuse writes.
    var acceptingReadOnly: ConnectOptions {
        var options = self
        options.prefersWrites = false
        return options
    }

    /// Reads the connection string, which can block.
    ///
    /// If libpq refuses the string, it reports the reason when it is used.
    init(_ url: String) {
        self.url = url
        let string = ConnectionString(url)
        let tls = string.map { TLSOptions($0).defaults { TLSOptions.systemRoots() } } ?? ["sslmode": "verify-full"]
        verifiesByDefault = tls["sslmode"] != nil
        var defaults = [
            ("fallback_application_name", "warren"), ("tcp_user_timeout", "30000"), ("keepalives_idle", "30"),
        ]
        defaults += tls.map { ($0.key, $0.value) }
        let names = string?.value(of: "host") ?? ""
        let addresses = string?.value(of: "hostaddr") ?? ""
        self.defaults = defaults
        prefersWrites = string?.setsSessionAttributes == false && (names + addresses).contains(",")
        let found = ServerAddress.all(
            hosts: names, addresses: addresses, ports: string?.value(of: "port") ?? "",
            defaultPort: string?.compiledDefault(of: "port") ?? "")
        hosts = found.isEmpty ? [ServerAddress(host: "", hostAddress: "", port: "")] : found
    }

    /// Returns the options for one address. The URL is the value of `dbname`. It overrides the options before `dbname`,
    /// and the options after `dbname` override the URL (PQconnectdbParams).
    func list(for address: ServerAddress) -> [(String, String)] {
        let session = prefersWrites ? [("target_session_attrs", "read-write")] : []
        return defaults + session + [("dbname", url), ("client_encoding", "UTF8")] + address.options
    }
}

/// Passes strings as an array of C strings that ends with a null pointer.
func withCStrings<Result>(
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
