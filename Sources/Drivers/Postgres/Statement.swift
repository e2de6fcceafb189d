internal import Synchronization

/// A SQL statement that each connection prepares the first time it is used there.
///
/// Make one once, as a `static let`: equal texts share one identity, and the table of texts only grows. Values travel as
/// parameters (`$1`, `$2`, …), never in the text.
package struct Statement: Sendable, Hashable {
    /// The text of the statement.
    package let sql: String
    /// The statement's number in this process, which indexes each connection's table of prepared statements.
    let id: Int

    private static let known = Mutex<[String: Int]>([:])

    /// Makes a statement of one SQL command.
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
