/// A JSON text as a parameter or a column of type `json` or `jsonb`; `[UInt8]` as a parameter would be `bytea`.
package struct PostgresJSON: Sendable, Hashable, PostgresEncodable, PostgresDecodable {
    /// The text, in UTF-8.
    package var bytes: [UInt8]

    /// Wraps a JSON text; the server checks that it is one.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    package static var postgresType: UInt32 { TypeID.inferred }

    package func encode(into buffer: inout ParameterBuffer) {
        buffer.appendText(utf8: bytes)
    }

    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> PostgresJSON {
        PostgresJSON([UInt8](try cell.textContents()))
    }
}
