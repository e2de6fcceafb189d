internal import FoundationEssentials
internal import Postgres
internal import Reactor

/// The table of events that were decided in a transaction and have yet to be published.
@Loop enum Outbox {
    private static let insert = Statement("INSERT INTO outbox (id, type, body) VALUES ($1, $2, $3)")
    // Rows that commit late have lower numbers than rows already taken: nothing remembers a last number, rows are
    // taken and deleted, and those another relay holds are passed over.
    private static let take = Statement(
        """
        DELETE FROM outbox WHERE number = ANY (ARRAY(
            SELECT number FROM outbox ORDER BY number LIMIT $1 FOR UPDATE SKIP LOCKED))
        RETURNING id, type, body, number
        """)

    /// An event that a handler has decided.
    struct Event: Sendable {
        let id: UUID
        let type: String
        let body: [UInt8]
    }

    /// An event that waits.
    struct Entry: Sendable {
        let id: UUID
        let type: String
        let body: [UInt8]
        let number: Int64
    }

    static func insert(_ event: Event, in transaction: Transaction) {
        _ = transaction.send(insert, event.id, event.type, event.body)
    }

    /// Takes up to `limit` events out of the table, in order; they are gone once the transaction commits.
    static func take(_ limit: Int, in transaction: Transaction) async throws -> [Entry] {
        let rows = try await transaction.query(take, limit)
        var entries: [Entry] = []
        for index in 0..<rows.count {
            let (id, type, body, number) = try rows[index].decode((UUID, String, [UInt8], Int64).self)
            entries.append(Entry(id: id, type: type, body: body, number: number))
        }
        return entries.sorted { $0.number < $1.number }
    }
}
