internal import FoundationEssentials
internal import Postgres
internal import Reactor

/// The table of carried-out commands: the id of each and the reply it got, written in the transaction of its effect.
@Loop enum Inbox {
    private static let find = Statement(
        """
        SELECT type, subject, status, content_type, location, etag, body FROM inbox WHERE id = $1
        """)
    private static let insert = Statement(
        """
        INSERT INTO inbox (id, type, subject, status, content_type, location, etag, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """)
    private static let insertUnlessThere = Statement(
        """
        INSERT INTO inbox (id, type, subject, status, content_type, location, etag, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING
        """)
    private static let deleteOld = Statement(
        """
        DELETE FROM inbox WHERE id = ANY (ARRAY(
            SELECT id FROM inbox WHERE handled_at < now() - make_interval(secs => $1) LIMIT 5000))
        """)

    /// A command that was carried out: whose it was, and its answer.
    struct Entry: Sendable {
        let type: String
        let subject: UUID?
        let reply: Reply

        init(_ row: Row) throws(PostgresError) {
            type = try row.get(0, as: String.self)
            subject = try row.get(1, as: UUID?.self)
            reply = Reply(
                status: try row.get(2, as: Int.self), contentType: try row.get(3, as: String?.self),
                location: try row.get(4, as: String?.self), etag: try row.get(5, as: String?.self),
                body: try row.get(6, as: [UInt8].self))
        }

        /// Whether it is the same command, of the same caller: an id says nothing by itself to one who made it up.
        func belongs(to message: IncomingMessage) -> Bool {
            type == message.type && subject == message.caller?.id
        }
    }

    static func find(_ id: UUID, in pool: PostgresPool) async throws -> Entry? {
        let rows = try await pool.query(find, id)
        guard rows.count > 0 else { return nil }
        return try Entry(rows[0])
    }

    /// Remembers an answer with its effect. The transaction fails where the id is there already.
    static func insert(_ id: UUID, _ message: IncomingMessage, _ reply: Reply, in transaction: Transaction) {
        _ = transaction.send(
            insert, id, message.type, message.caller?.id, reply.status, reply.contentType, reply.location, reply.etag,
            reply.body)
    }

    /// Remembers an answer that had no effect to go with it.
    ///
    /// - Returns: what is remembered under the id already, in whose place nothing was put.
    static func remember(_ id: UUID, _ message: IncomingMessage, _ reply: Reply, in pool: PostgresPool) async throws
        -> Entry?
    {
        let inserted = try await pool.query(
            insertUnlessThere, id, message.type, message.caller?.id, reply.status, reply.contentType, reply.location,
            reply.etag, reply.body)
        return inserted.affected == 0 ? try await find(id, in: pool) : nil
    }

    /// Forgets a batch of the commands handled longer ago than that.
    ///
    /// - Returns: how many there were; fewer than 5,000 means that none are left.
    static func sweep(olderThan age: Duration, in pool: PostgresPool) async throws -> Int {
        try await pool.query(deleteOld, Double(age.components.seconds)).affected
    }
}
