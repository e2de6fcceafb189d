/// A statement that one connection has prepared or is preparing.
final class PreparedStatement {
    enum State {
        /// The command to prepare the statement was sent, but is not confirmed yet. Queries can already use the
        /// statement, because they follow in the pipeline.
        case sent
        case ready
        case failed(PostgresError)
    }

    /// The ``Statement/id`` of the statement.
    let statement: Int
    /// The name of the prepared statement on the server.
    let name: String
    /// The types of the parameters.
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
/// Each preparation uses a new name, so that a failed preparation does not conflict with the next one.
struct PreparedTable {
    private var entries: [PreparedStatement?] = []
    private var count = 0

    /// Returns the prepared statement for parameters of these types, and whether it must be prepared first.
    mutating func use(_ statement: Statement, types: [UInt32]) -> (prepared: PreparedStatement, isNew: Bool) {
        while entries.count <= statement.id { entries.append(nil) }
        if let entry = entries[statement.id], entry.types == types { return (entry, false) }
        count += 1
        let entry = PreparedStatement(statement: statement.id, name: "s\(count)", types: types)
        entries[statement.id] = entry
        return (entry, true)
    }

    /// Removes a prepared statement, so that the statement is prepared again at its next use.
    mutating func forget(_ prepared: PreparedStatement) {
        if entries[prepared.statement] === prepared { entries[prepared.statement] = nil }
    }
}
