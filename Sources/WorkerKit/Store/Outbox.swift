internal import FoundationEssentials
internal import Postgres
internal import Reactor

/// The table of events that are committed but not yet published.
@Loop enum Outbox {
    private static let insert = Statement(
        "INSERT INTO outbox (id, type, body) SELECT * FROM unnest($1, $2, $3)")
    // Taken rows are deleted. The relay could not remember the last number that it has taken instead, because a
    // transaction that commits late can add rows with lower numbers. Rows that another relay has locked are skipped.
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

    /// Takes the first `limit` events out of the table, in the order of their numbers. They are deleted when the
    /// transaction is committed.
    static func take(_ limit: Int, in transaction: Transaction) async throws -> [Event] {
        var numbered: [(number: Int64, event: Event)] = []
        for row in try await transaction.query(take, limit) {
            let (id, type, body, number) = try row.decode((UUID, String, [UInt8], Int64).self)
            numbered.append((number, Event(id: id, type: type, body: body)))
        }
        return numbered.sorted { $0.number < $1.number }.map { $0.event }
    }
}
