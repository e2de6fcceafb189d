internal import FoundationEssentials
internal import Postgres
internal import Reactor

/// The table of events that are committed but not yet published.
@Loop enum Outbox {
    private static let insert = Statement(
        "INSERT INTO outbox (id, type, body) SELECT * FROM unnest($1, $2, $3)")
    private static let postpone = Statement(
        """
        INSERT INTO outbox (id, type, body, refusals, due_at)
        SELECT id, type, body, refusals, now() + make_interval(secs => delay)
        FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::integer[], $5::double precision[])
            AS event (id, type, body, refusals, delay)
        """)
    // Each row is in one of the two partial indexes of the migration kit-0004, and both subqueries read only the rows
    // that they return. Sorting by `number` alone would let the planner scan the primary key and read every postponed
    // row.
    //
    // Taken rows are deleted. The relay could not remember the last number that it has taken instead, because a
    // transaction that commits late can add rows with lower numbers. Rows that another relay has locked are skipped.
    // Up to `limit` rows that are not taken also stay locked until the transaction ends.
    private static let take = Statement(
        """
        WITH new AS (
            SELECT number FROM outbox WHERE due_at IS NULL
            ORDER BY due_at, number LIMIT $1 FOR UPDATE SKIP LOCKED
        ), due AS (
            SELECT number FROM outbox WHERE due_at <= now()
            ORDER BY due_at, number LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        DELETE FROM outbox WHERE number = ANY (ARRAY(
            SELECT number FROM (TABLE new UNION ALL TABLE due) AS ready ORDER BY number LIMIT $1))
        RETURNING id, type, body, number, refusals
        """)
    // The table is usually empty, and the planner would choose scans of the whole table for it. A connection keeps the
    // plan of a prepared statement until the table is analyzed, even if the table has grown since.
    //
    // The commit does not wait for the disk. If the server crashes before it has written the commit, the events are in
    // the table again and are published again; subscribers must expect that anyway.
    private static let transactionSettings = Statement(
        """
        SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
            set_config('synchronous_commit', 'off', true)
        """)

    /// An event that a handler emitted.
    struct Event: Sendable {
        let id: UUID
        let type: String
        let body: [UInt8]
        /// How often the broker has refused the event.
        var refusals = 0
    }

    static func insert(_ events: [Event], in transaction: Transaction) {
        _ = transaction.send(insert, events.map { $0.id }, events.map { $0.type }, events.map { $0.body })
    }

    /// Puts events that the broker has refused back into the table. They can be taken again after a delay, which
    /// doubles with each refusal: 1 s, 2 s, 4 s and so on, at most 256 s.
    ///
    /// - Returns: the shortest of the delays.
    static func postpone(_ events: [Event], in transaction: Transaction) -> Duration {
        let delays = events.map { 1 << min($0.refusals, 8) }
        _ = transaction.send(
            postpone, events.map { $0.id }, events.map { $0.type }, events.map { $0.body },
            events.map { Int32(clamping: $0.refusals + 1) }, delays.map { Double($0) })
        return .seconds(delays.min() ?? 1)
    }

    /// Takes the first `limit` events out of the table, in the order of their numbers. They are deleted when the
    /// transaction is committed. Events that are postponed to a later time are neither taken nor read.
    ///
    /// The transaction's later statements are planned without sequential and bitmap scans where possible. Its commit is
    /// asynchronous (`synchronous_commit = off`).
    static func take(_ limit: Int, in transaction: Transaction) async throws -> [Event] {
        _ = transaction.send(transactionSettings)
        var numbered: [(number: Int64, event: Event)] = []
        for row in try await transaction.query(take, limit) {
            let (id, type, body, number, refusals) = try row.decode((UUID, String, [UInt8], Int64, Int32).self)
            numbered.append((number, Event(id: id, type: type, body: body, refusals: Int(refusals))))
        }
        return numbered.sorted { $0.number < $1.number }.map { $0.event }
    }
}
