internal import CPostgres
internal import Logging

/// Owns a connection of libpq (`PGconn`), and closes it with the last reference at the latest.
// Unchecked: libpq forbids only that two threads use one connection at the same time (libpq manual, "Behavior in
// Threaded Programs"). While it connects, one step at a time uses it, on the loop or on a thread of its own. Once
// it is connected, only the loop uses it.
final class PostgresHandle: @unchecked Sendable {
    private var connection: OpaquePointer?
    private let notices: NoticeLog

    init(_ connection: OpaquePointer, log: Logger) {
        self.connection = connection
        notices = NoticeLog(log: log)
        // Unretained, because the handle owns the log and closes the connection before it releases the log.
        PQsetNoticeReceiver(connection, receiveNotice, Unmanaged.passUnretained(notices).toOpaque())
    }

    deinit {
        close()
    }

    /// The connection; `nil` after it was closed.
    var pointer: OpaquePointer? { connection }

    /// The socket's descriptor, or -1 if the connection has none.
    var descriptor: Int32 { PQsocket(connection) }

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

/// Logs the server's notices. Without a receiver libpq prints them to standard error.
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
