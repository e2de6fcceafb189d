/// A statement as one connection knows it.
final class PreparedStatement {
    enum State {
        /// Sent, not yet confirmed: statements behind it in the pipeline already use it.
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

/// The statements that one connection has prepared. Each preparation has a name of its own, so that a failed one is
/// never in the way of the next.
struct PreparedTable {
    private var entries: [PreparedStatement?] = []
    private var made = 0

    /// The statement to use, and whether it has to be prepared first.
    mutating func use(_ statement: Statement, types: [UInt32]) -> (prepared: PreparedStatement, isNew: Bool) {
        while entries.count <= statement.id { entries.append(nil) }
        if let entry = entries[statement.id], entry.types == types { return (entry, false) }
        made += 1
        let entry = PreparedStatement(statement: statement.id, name: "s\(made)", types: types)
        entries[statement.id] = entry
        return (entry, true)
    }

    /// Lets the next use prepare anew.
    mutating func forget(_ prepared: PreparedStatement) {
        if entries[prepared.statement] === prepared { entries[prepared.statement] = nil }
    }
}
