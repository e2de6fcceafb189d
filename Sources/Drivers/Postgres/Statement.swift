internal import Synchronization

/// A SQL statement. Each connection prepares it before the first use.
///
/// Make each statement once, as a `static let`, because the process keeps the texts of all statements for ever.
/// Statements with equal texts are equal. Pass values as parameters (`$1`, `$2`, …), never in the text.
package struct Statement: Sendable, Hashable {
    /// The text of the statement.
    package let sql: String
    /// The statement's number in this process, which is its index in each connection's ``PreparedTable``.
    let id: Int

    private static let known = Mutex<[String: Int]>([:])

    /// Makes a statement from one SQL command.
    package init(_ sql: String) {
        self.sql = sql
        id = Self.known.withLock { known in
            if let id = known[sql] { return id }
            let id = known.count
            known[sql] = id
            return id
        }
    }

    package static func == (left: Statement, right: Statement) -> Bool {
        left.id == right.id
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(id)
    }

    static let begin = Statement("BEGIN")
    static let commit = Statement("COMMIT")
    static let rollback = Statement("ROLLBACK")
}
