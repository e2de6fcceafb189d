internal import FoundationEssentials
internal import Postgres
internal import Reactor

/// The table of carried-out commands: the id of each and the reply it got, written in the transaction of its effect.
@Loop enum Inbox {
    private static let find = Statement(
        """
        SELECT type, subject, status, content_type, location, etag, body, fingerprint FROM inbox WHERE id = $1
        """)
    private static let columns = "id, type, subject, status, content_type, location, etag, body, fingerprint"
    private static let insert = Statement(
        "INSERT INTO inbox (\(columns)) SELECT * FROM unnest($1, $2, $3, $4::int[], $5, $6, $7, $8, $9)")
    private static let insertUnlessThere = Statement(
        """
        INSERT INTO inbox (\(columns)) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING
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
        /// Of its body; nothing where it was carried out before fingerprints were kept.
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

        /// Whether it is the same command, of the same caller and with the same body: an id says nothing by itself to
        /// one who made it up.
        func belongs(to message: IncomingMessage, _ fingerprint: [UInt8]) -> Bool {
            type == message.type && subject == message.caller?.id
                && (self.fingerprint == nil || self.fingerprint == fingerprint)
        }
    }

    /// What is to be remembered of a command.
    struct Answer: Sendable {
        let id: UUID
        let type: String
        let subject: UUID?
        let fingerprint: [UInt8]
        let reply: Reply

        init(_ id: UUID, _ message: IncomingMessage, _ reply: Reply) async {
            self.id = id
            type = message.type
            subject = message.caller?.id
            fingerprint = await Fingerprint.of(message.body)
            self.reply = reply
        }
    }

    static func find(_ id: UUID, in pool: PostgresPool) async throws -> Entry? {
        let rows = try await pool.query(find, id)
        guard rows.count > 0 else { return nil }
        return try Entry(rows[0])
    }

    /// Remembers answers with their effects. The transaction fails where one of the ids is there already.
    static func insert(_ answers: [Answer], in transaction: Transaction) {
        _ = transaction.send(
            insert, answers.map { $0.id }, answers.map { $0.type }, answers.map { $0.subject },
            answers.map { $0.reply.status },
            answers.map { $0.reply.contentType }, answers.map { $0.reply.location }, answers.map { $0.reply.etag },
            answers.map { $0.reply.body }, answers.map { $0.fingerprint })
    }

    /// Remembers an answer that had no effect to go with it.
    ///
    /// - Returns: what is remembered under the id already, in whose place nothing was put.
    static func remember(_ answer: Answer, in pool: PostgresPool) async throws -> Entry? {
        let reply = answer.reply
        let inserted = try await pool.query(
            insertUnlessThere, answer.id, answer.type, answer.subject, reply.status, reply.contentType, reply.location,
            reply.etag, reply.body, answer.fingerprint)
        return inserted.affected == 0 ? try await find(answer.id, in: pool) : nil
    }

    /// Forgets a batch of the commands handled longer ago than that.
    ///
    /// - Returns: how many there were; fewer than 5,000 means that none are left.
    static func sweep(olderThan age: Duration, in pool: PostgresPool) async throws -> Int {
        try await pool.query(deleteOld, Double(age.components.seconds)).affected
    }
}
