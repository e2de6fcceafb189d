/// One step of a database's schema: applied once, in a transaction of its own, and never changed afterwards.
package struct Migration: Sendable {
    /// The name, which begins with its number, as in `0001-start`: migrations are applied in the order of their names.
    package let name: String
    /// One or more SQL commands.
    package let sql: String

    /// Makes a migration of SQL text.
    package init(name: String, sql: String) {
        self.name = name
        self.sql = sql
    }

    /// Makes a migration of the bytes of a `.sql` file.
    package init(name: String, sql: [UInt8]) {
        self.init(name: name, sql: String(decoding: sql, as: UTF8.self))
    }
}
