/// A statement as prepared on one connection.
final class PreparedStatement {
    enum State {
        /// Sent, but not confirmed yet. Queries that follow in the pipeline use it already.
        case sent
        case ready
        case failed(PostgresError)
    }

    let statement: Int
    let name: String
    let types: [UInt32]
    var state = State.sent

    init(statement: Int, name: String, types: [UInt32]) {
        self.statement = statement
        self.name = name
        self.types = types
    }
}

/// The statements that one connection has prepared.
///
/// Each preparation has a new name, so that a failed one does not conflict with the next.
struct PreparedTable {
    private var entries: [PreparedStatement?] = []
    private var count = 0

    /// Returns the prepared statement to use, and whether it must be prepared first.
    mutating func use(_ statement: Statement, types: [UInt32]) -> (prepared: PreparedStatement, isNew: Bool) {
        while entries.count <= statement.id { entries.append(nil) }
        if let entry = entries[statement.id], entry.types == types { return (entry, false) }
        count += 1
        let entry = PreparedStatement(statement: statement.id, name: "s\(count)", types: types)
        entries[statement.id] = entry
        return (entry, true)
    }

    /// Removes a statement, so that the next use prepares it again.
    mutating func forget(_ prepared: PreparedStatement) {
        if entries[prepared.statement] === prepared { entries[prepared.statement] = nil }
    }
}
