internal import Synchronization

/// A SQL statement. Each connection prepares it the first time it is used there.
///
/// Make each statement once, as a `static let`, because the table of texts never shrinks; equal texts share an
/// identity. Pass values as parameters (`$1`, `$2`, …), never in the text.
package struct Statement: Sendable, Hashable {
    /// The text of the statement.
    package let sql: String
    /// The statement's number in this process: its index in each connection's table of prepared statements.
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
