internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor

/// The table of the commands that were given up. A row has the reply that the sender got.
///
/// The row of a command stays if an operator replays the command successfully. The row in the inbox then takes
/// precedence.
@Loop enum FailedCommands {
    private static let upsert = Statement(
        """
        INSERT INTO failed_commands (id, subject, status, body, failed_at) VALUES ($1, $2, $3, $4, now())
        ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status, body = EXCLUDED.body, failed_at = EXCLUDED.failed_at
        WHERE failed_commands.subject IS NOT DISTINCT FROM EXCLUDED.subject
        """)
    private static let find = Statement("SELECT subject, status, body, failed_at FROM failed_commands WHERE id = $1")
    /// The maximum number of rows that one statement deletes.
    private static let sweepLimit = 5_000
    private static let deleteOld = Statement(
        """
        DELETE FROM failed_commands WHERE id = ANY (ARRAY(
            SELECT id FROM failed_commands WHERE failed_at < now() - make_interval(secs => $1) LIMIT \(sweepLimit)))
        """)

    /// A command that was given up.
    struct StoredRow: Sendable {
        let subject: UUID?
        let status: Int
        let body: [UInt8]
        let failedAt: Timestamp

        init(_ row: Row) throws(PostgresError) {
            (subject, status, body, failedAt) = try row.decode((UUID?, Int, [UInt8], Timestamp).self)
        }
    }

    /// Stores that a command was given up. Does nothing if the message has no id, or if the table has the id with
    /// another caller, because senders choose the ids.
    ///
    /// - Parameter reply: the reply to the sender.
    static func store(
        _ reply: Reply, of message: IncomingMessage, in pool: PostgresPool
    ) async throws(PostgresError) {
        guard let id = message.id else { return }
        _ = try await pool.query(upsert, id, message.caller?.id, reply.status, reply.body)
    }

    /// Returns the row with this id.
    static func find(_ id: UUID, in pool: PostgresPool) async throws(PostgresError) -> StoredRow? {
        try await pool.query(find, id).first.map { row throws(PostgresError) in try StoredRow(row) }
    }

    /// Deletes up to ``sweepLimit`` rows that are older than `age`.
    ///
    /// - Returns: whether more such rows can be left.
    static func sweep(olderThan age: Duration, in pool: PostgresPool) async throws(PostgresError) -> Bool {
        try await pool.query(deleteOld, Double(age.components.seconds)).affected >= sweepLimit
    }
}
