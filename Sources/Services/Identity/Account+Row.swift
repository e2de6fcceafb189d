internal import Contracts
internal import Postgres

extension Account {
    /// Reads the first four columns of a row: id, username, email, time of creation.
    init(_ row: Row) throws(PostgresError) {
        self.init(
            id: try row.get(0), username: try row.get(1), email: try row.get(2),
            createdAt: Timestamp(milliseconds: try row.get(3, as: PostgresTimestamp.self).milliseconds))
    }
}

extension Timestamp {
    var stored: PostgresTimestamp { PostgresTimestamp(milliseconds: milliseconds) }
}
