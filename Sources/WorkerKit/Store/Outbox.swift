internal import FoundationEssentials
internal import Postgres
internal import Reactor

/// The table of events that are committed and not yet published.
@Loop enum Outbox {
    private static let insert = Statement(
        "INSERT INTO outbox (id, type, body) SELECT * FROM unnest($1, $2, $3)")
    // A transaction that commits late can have lower numbers than rows that were already taken, so no last number is
    // kept: rows are taken and deleted, and rows that another relay has locked are skipped.
    private static let take = Statement(
        """
        DELETE FROM outbox WHERE number = ANY (ARRAY(
            SELECT number FROM outbox ORDER BY number LIMIT $1 FOR UPDATE SKIP LOCKED))
        RETURNING id, type, body, number
        """)

    /// An event that a handler emitted.
    struct Event: Sendable {
        let id: UUID
        let type: String
        let body: [UInt8]
    }

    static func insert(_ events: [Event], in transaction: Transaction) {
        _ = transaction.send(insert, events.map { $0.id }, events.map { $0.type }, events.map { $0.body })
    }

    /// Takes up to `limit` events out of the table, in their order. The transaction's commit deletes them.
    static func take(_ limit: Int, in transaction: Transaction) async throws -> [Event] {
        var numbered: [(number: Int64, event: Event)] = []
        for row in try await transaction.query(take, limit) {
            let (id, type, body, number) = try row.decode((UUID, String, [UInt8], Int64).self)
            numbered.append((number, Event(id: id, type: type, body: body)))
        }
        return numbered.sorted { $0.number < $1.number }.map { $0.event }
    }
}
