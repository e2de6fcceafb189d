internal import CPostgres
internal import Logging
internal import Reactor

/// Owns a connection of libpq, which it closes at the latest when nobody refers to it any more.
// Unchecked: libpq forbids only that two threads use one connection at the same time (manual, "Behavior in Threaded
// Programs"). Until it is connected, one task owns it and hands it from step to step, or leaves it to a step that
// it no longer waits for; from then on it belongs to the loop.
final class ConnectionHandle: @unchecked Sendable {
    private var connection: OpaquePointer?
    private let notices: NoticeSink

    private init(_ connection: OpaquePointer, log: Logger) {
        self.connection = connection
        notices = NoticeSink(log: log)
        PQsetNoticeReceiver(connection, receiveNotice, Unmanaged.passUnretained(notices).toOpaque())
    }

    deinit {
        close()
    }

    /// The connection, or nil once it is closed.
    var pointer: OpaquePointer? { connection }

    /// The socket's descriptor, or -1 where there is none.
    var descriptor: Int32 { PQsocket(connection) }

    /// What libpq last complained of, on one line.
    var message: String {
        let text = PQerrorMessage(connection).map { String(cString: $0) } ?? ""
        return text.split(separator: "\n").joined(separator: " ")
    }

    /// Closes the connection; a second call does nothing.
    func close() {
        guard let connection else { return }
        self.connection = nil
        PQfinish(connection)
    }

    // MARK: Connecting

    /// Starts to connect. Off the loop: libpq resolves names here, which may block.
    static func start(_ url: String, log: Logger) async throws(PostgresError) -> ConnectionHandle {
        let started = await onOwnThread { Result { () throws(PostgresError) in try begin(url, log) } }
        guard let started else { throw noThread }
        return try started.get()
    }

    private static var noThread: PostgresError {
        Task.isCancelled
            ? PostgresError(.cancelled, "the task was cancelled")
            : PostgresError(.connectFailed, "no thread to connect on")
    }

    private static func begin(_ url: String, _ log: Logger) throws(PostgresError) -> ConnectionHandle {
        // Those before `dbname` yield to what the URL says, those after it do not (PQconnectStartParams).
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
        let handle = ConnectionHandle(connection, log: log)
        handle.saysSQLState(true)
        guard PQstatus(connection) != CONNECTION_BAD else { throw PostgresError(.connectFailed, handle.message) }
        return handle
    }

    /// Takes the next step of connecting. Off the loop: it may resolve a further host's name, or shake hands over TLS.
    ///
    /// - Throws: `PostgresError` where the task is cancelled; the handle must then be let go of and not closed: the
    ///   step goes on.
    func step() async throws(PostgresError) -> PostgresPollingStatusType {
        guard let status = await onOwnThread({ PQconnectPoll(self.pointer) }) else { throw Self.noThread }
        return status
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

/// Where the server's notices go; without a receiver libpq prints them to standard error.
private final class NoticeSink: Sendable {
    let log: Logger

    init(log: Logger) {
        self.log = log
    }
}

private func receiveNotice(_ argument: UnsafeMutableRawPointer?, _ notice: OpaquePointer?) {
    guard let argument, let notice else { return }
    let sink = Unmanaged<NoticeSink>.fromOpaque(argument).takeUnretainedValue()
    guard sink.log.logLevel <= .debug else { return }
    let error = PostgresError(result: notice)
    sink.log.debug(
        "notice of the database",
        metadata: ["sqlstate": "\(error.sqlState ?? "none")", "notice": "\(error.message)"])
}
