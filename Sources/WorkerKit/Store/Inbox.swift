internal import FoundationEssentials
internal import Postgres
internal import Reactor

/// The table of the commands that were carried out or refused. A row has the command's id and its reply, and is written
/// in the transaction of the command's effect.
@Loop enum Inbox {
    private static let find = Statement(
        """
        SELECT type, subject, status, content_type, location, etag, body, fingerprint FROM inbox WHERE id = $1
        """)
    private static let columns = "id, type, subject, status, content_type, location, etag, body, fingerprint"
    private static let insert = Statement(
        "INSERT INTO inbox (\(columns)) SELECT * FROM unnest($1, $2, $3, $4::int[], $5, $6, $7, $8, $9)")
    private static let insertIfAbsent = Statement(
        """
        INSERT INTO inbox (\(columns)) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING
        """)
    /// The maximum number of rows that one statement deletes. It takes some tens of milliseconds.
    private static let sweepLimit = 5_000
    private static let deleteOld = Statement(
        """
        DELETE FROM inbox WHERE id = ANY (ARRAY(
            SELECT id FROM inbox WHERE handled_at < now() - make_interval(secs => $1) LIMIT \(sweepLimit)))
        """)

    /// The row of a command that was carried out or refused.
    struct StoredRow: Sendable {
        let type: String
        let subject: UUID?
        let reply: Reply
        /// The fingerprint of the command's body; `nil` in rows that are older than the column.
        private let fingerprint: [UInt8]?

        init(_ row: Row) throws(PostgresError) {
            type = try row.get(0, as: String.self)
            subject = try row.get(1, as: UUID?.self)
            reply = Reply(
                status: try row.get(2, as: Int.self), contentType: try row.get(3, as: String?.self),
                location: try row.get(4, as: String?.self), etag: try row.get(5, as: String?.self),
                body: try row.get(6, as: [UInt8].self))
            fingerprint = try row.get(7, as: [UInt8]?.self)
        }

        /// Whether a message with this row's id is the same command. Senders choose the ids, so the type, the caller
        /// and the body must be equal, too.
        func belongs(to message: IncomingMessage, _ fingerprint: [UInt8]) -> Bool {
            type == message.type && subject == message.caller?.id
                && (self.fingerprint == nil || self.fingerprint == fingerprint)
        }
    }

    /// The row to write for a command.
    struct NewRow: Sendable {
        let id: UUID
        let type: String
        let subject: UUID?
        let fingerprint: [UInt8]
        let reply: Reply

        /// Makes the row of a message and its reply; `nil` if the message has no id.
        init?(_ message: IncomingMessage, _ reply: Reply) async {
            guard let id = message.id else { return nil }
            self.id = id
            type = message.type
            subject = message.caller?.id
            fingerprint = await Fingerprint.of(message)
            self.reply = reply
        }
    }

    /// Returns the row with this id.
    static func find(_ id: UUID, in pool: PostgresPool) async throws(PostgresError) -> StoredRow? {
        try await pool.query(find, id).first.map { row throws(PostgresError) in try StoredRow(row) }
    }

    /// Looks up whether a command has been carried out or refused.
    static func lookUp(
        _ message: IncomingMessage, in pool: PostgresPool
    ) async throws(PostgresError) -> InboxLookup {
        guard let id = message.id, let row = try await find(id, in: pool) else { return .absent }
        return lookup(row, message, await Fingerprint.of(message))
    }

    /// Adds the rows of commands to the transaction of their effects. The commit fails if the table already has one of
    /// the ids.
    static func insert(_ rows: [NewRow], in transaction: Transaction) {
        _ = transaction.send(
            insert, rows.map { $0.id }, rows.map { $0.type }, rows.map { $0.subject }, rows.map { $0.reply.status },
            rows.map { $0.reply.contentType }, rows.map { $0.reply.location }, rows.map { $0.reply.etag },
            rows.map { $0.reply.body }, rows.map { $0.fingerprint })
    }

    /// Stores the refusal of a command, unless the table already has the command's id.
    ///
    /// - Returns: ``InboxLookup/absent`` if the refusal was stored; otherwise the result for the row that was already
    ///   there.
    static func storeRefusal(
        _ reply: Reply, of message: IncomingMessage, in pool: PostgresPool
    ) async throws(PostgresError) -> InboxLookup {
        guard let row = await NewRow(message, reply) else { return .absent }
        let inserted = try await pool.query(
            insertIfAbsent, row.id, row.type, row.subject, reply.status, reply.contentType, reply.location,
            reply.etag, reply.body, row.fingerprint)
        guard inserted.affected == 0, let earlier = try await find(row.id, in: pool) else { return .absent }
        return lookup(earlier, message, row.fingerprint)
    }

    private static func lookup(_ row: StoredRow, _ message: IncomingMessage, _ fingerprint: [UInt8]) -> InboxLookup {
        row.belongs(to: message, fingerprint) ? .stored(row.reply) : .otherCommand
    }

    /// Deletes up to ``sweepLimit`` rows that are older than `age`.
    ///
    /// - Returns: whether more such rows can be left.
    static func sweep(olderThan age: Duration, in pool: PostgresPool) async throws(PostgresError) -> Bool {
        try await pool.query(deleteOld, Double(age.components.seconds)).affected >= sweepLimit
    }
}

/// The result of looking up a command in the inbox.
enum InboxLookup: Sendable {
    /// The command's id is not in the inbox.
    case absent
    /// The command was carried out or refused before, with this reply.
    case stored(Reply)
    /// The id belongs to another command.
    case otherCommand
}
