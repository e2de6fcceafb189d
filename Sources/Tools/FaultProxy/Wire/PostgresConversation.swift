/// Follows the statements on one PostgreSQL connection: which are sent, which are answered, and which transaction they
/// belong to.
struct PostgresConversation {
    enum Statement: Equatable {
        case begin
        /// `isOfCommand` is whether the transaction has written an inbox row.
        case commit(isOfCommand: Bool)
        case rollback
        case inboxInsert
        case other
    }

    private enum Step: Equatable {
        case statement(Statement)
        /// A Sync or a simple Query. The server answers its end with ReadyForQuery.
        case sync
    }

    private var prepared: [String: Statement] = [:]
    private var portals: [String: Statement] = [:]
    /// What was sent and is not answered yet.
    private var unanswered: [Step] = []
    /// Whether the server skips messages until the next Sync, because a statement has failed.
    private var isSkipping = false
    /// Whether the current transaction has sent an inbox row; `nil` without a transaction.
    private var writesInbox: Bool?

    /// Whether the server has answered all statements that were sent.
    var isAnswered: Bool { !unanswered.contains { $0 != .sync } }

    /// Whether a transaction was begun, and has neither ended nor failed.
    var isInTransaction: Bool { writesInbox != nil }

    /// Whether the message is the Bind or the simple Query of a COMMIT, and the transaction has written an inbox row.
    func commitsCommand(_ content: PostgresMessages.Content) -> Bool {
        guard writesInbox == true else { return false }
        return switch content {
        case .bind(_, let name): prepared[name]?.isCommit == true
        case .query(let sql): Statement(sql).isCommit
        default: false
        }
    }

    /// Takes the next message of the client.
    mutating func send(_ content: PostgresMessages.Content) {
        switch content {
        case .parse(let name, let sql): prepared[name] = Statement(sql)
        case .bind(let portal, let name): portals[portal] = prepared[name] ?? .other
        case .execute(let portal): if !isSkipping { run(portals[portal] ?? .other) }
        case .query(let sql):
            run(Statement(sql))
            unanswered.append(.sync)
        case .sync:
            isSkipping = false
            unanswered.append(.sync)
        default: break
        }
    }

    private mutating func run(_ statement: Statement) {
        var statement = statement
        switch statement {
        case .begin: writesInbox = false
        case .inboxInsert: if isInTransaction { writesInbox = true }
        case .commit:
            statement = .commit(isOfCommand: writesInbox == true)
            writesInbox = nil
        case .rollback: writesInbox = nil
        case .other: break
        }
        unanswered.append(.statement(statement))
    }

    /// Takes the next message of the server.
    ///
    /// - Returns: whether it confirms the COMMIT of a transaction with an inbox row.
    mutating func receive(_ content: PostgresMessages.Content) -> Bool {
        switch content {
        case .completed(let tag):
            guard case .statement(let statement) = unanswered.first else { return false }
            unanswered.removeFirst()
            // The server answers the COMMIT of a failed transaction with the tag ROLLBACK.
            return statement == .commit(isOfCommand: true) && tag == "COMMIT"
        case .failed:
            let end = unanswered.firstIndex(of: .sync) ?? unanswered.endIndex
            isSkipping = end == unanswered.endIndex
            unanswered.removeFirst(end)
            // The failed statement may be of an earlier transaction than the current one.
            if !unanswered.contains(.statement(.begin)) { writesInbox = nil }
        case .readyForQuery:
            if let end = unanswered.firstIndex(of: .sync) { unanswered.removeFirst(end + 1) }
        default: break
        }
        return false
    }
}

extension PostgresConversation.Statement {
    /// Classifies a statement by its first words, in upper or lower case, as Warren writes them: `BEGIN`, `COMMIT`,
    /// `ROLLBACK` and `INSERT INTO inbox`.
    ///
    /// Other forms with the same effect count as ``other``: `START TRANSACTION`, `END` and `ABORT`, an INSERT in a CTE
    /// or into a name with quotes or a schema, a statement after a comment, and each further statement of a simple
    /// Query. `ROLLBACK TO SAVEPOINT` counts as ``rollback``.
    init(_ sql: String) {
        let words = sql.uppercased().split(maxSplits: 3) { $0.isWhitespace || ";(".contains($0) }
        switch words.first {
        case "BEGIN": self = .begin
        case "COMMIT": self = .commit(isOfCommand: false)
        case "ROLLBACK": self = .rollback
        default: self = words.prefix(3) == ["INSERT", "INTO", "INBOX"] ? .inboxInsert : .other
        }
    }

    var isCommit: Bool { if case .commit = self { true } else { false } }
}
