internal import CPostgres
internal import Logging

/// Owns a connection of libpq (`PGconn`). ``close()`` closes the connection; otherwise it is closed when the last
/// reference to the handle is released.
// Unchecked: libpq forbids only that two threads use one connection at the same time (libpq manual, "Behavior in
// Threaded Programs"). While the connection is being made, only one step at a time uses it, on the loop or on a thread
// of its own. Afterwards only the loop uses it.
final class PostgresHandle: @unchecked Sendable {
    private var connection: OpaquePointer?
    /// The address that this connection was made to.
    let address: ServerAddress
    /// Whether the driver itself has set `sslmode=verify-full`.
    let verifiesByDefault: Bool
    private let notices: NoticeLog

    init(_ connection: OpaquePointer, to address: ServerAddress, verifiesByDefault: Bool, log: Logger) {
        self.connection = connection
        self.address = address
        self.verifiesByDefault = verifiesByDefault
        notices = NoticeLog(log: log)
        // The pointer is unretained: the handle owns the notice log, and closes the connection before it releases the
        // notice log.
        PQsetNoticeReceiver(connection, receiveNotice, Unmanaged.passUnretained(notices).toOpaque())
    }

    deinit {
        close()
    }

    /// The connection; `nil` after it was closed.
    var pointer: OpaquePointer? { connection }

    /// The socket's descriptor, or -1 if the connection has none.
    var descriptor: Int32 { PQsocket(connection) }

    /// Whether the server has reported that new transactions are read-only. Servers before PostgreSQL 14 do not report
    /// it (PQparameterStatus).
    var isReadOnly: Bool {
        ["default_transaction_read_only", "in_hot_standby"].contains { (name: String) in
            PQparameterStatus(connection, name).map { String(cString: $0) } == "on"
        }
    }

    /// libpq's last error message, on one line.
    var message: String {
        let text = PQerrorMessage(connection).map { String(cString: $0) } ?? ""
        return text.split(separator: "\n").joined(separator: " ")
    }

    /// Closes the connection. A second call does nothing.
    func close() {
        guard let connection else { return }
        self.connection = nil
        PQfinish(connection)
    }
}

/// The log for the server's notices. Without a notice receiver, libpq prints the notices to standard error.
private final class NoticeLog: Sendable {
    let log: Logger

    init(log: Logger) {
        self.log = log
    }
}

private func receiveNotice(_ argument: UnsafeMutableRawPointer?, _ notice: OpaquePointer?) {
    guard let argument, let notice else { return }
    let notices = Unmanaged<NoticeLog>.fromOpaque(argument).takeUnretainedValue()
    guard notices.log.logLevel <= .debug else { return }
    let error = PostgresError(result: notice)
    notices.log.debug(
        "notice from the database",
        metadata: ["sqlstate": "\(error.sqlState ?? "none")", "notice": "\(error.message)"])
}
