internal import Logging
internal import Reactor

// A server can refuse writes while connections to it stay open: it has become a standby after a failover, or
// `default_transaction_read_only` was set. A session can stay read-only after the server accepts writes again, so its
// connection is replaced. One connection is replaced at a time, and the others serve reads meanwhile, because
// connecting can take seconds if another host of the URL is silent.
extension PostgresPool {
    /// Marks a connection on which a statement has failed because the session is read-only.
    func foundReadOnly(_ connection: PostgresConnection) {
        guard !connection.isReadOnly else { return }
        connection.isReadOnly = true
        replaceLater(connection)
    }

    /// Checks a new connection. If the server accepts writes again, replaces the other read-only connections at once.
    func checkForWrites(_ connection: PostgresConnection) {
        guard !connection.isReadOnly else { return replaceLater(connection) }
        readOnlyBackoff.reset()
        probingSlot = nil
        for case let other? in connections where other.isReadOnly { other.retire() }
    }

    private func replaceLater(_ connection: PostgresConnection) {
        guard probingSlot == nil || probingSlot == connection.slot else { return }
        probingSlot = connection.slot
        // Only the first line of an outage is a warning, because connections are replaced until the outage ends.
        let level: Logger.Level = readOnlyBackoff.isReset ? .warning : .debug
        let delay = readOnlyBackoff.next()
        log.log(
            level: level, "the database refuses writes",
            metadata: ["connection": "\(connection.slot)", "retry-in": "\(delay)"])
        Loop.schedule(after: delay) { [weak connection] in connection?.retire() }
    }

    func isLeased(_ connection: PostgresConnection) -> Bool {
        connections[connection.slot] === connection && state.isLeased(connection.slot)
    }
}
