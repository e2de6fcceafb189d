package import Contracts
package import Postgres

/// A timestamp can be a parameter or a column of the type `timestamptz`. Its resolution is one millisecond.
extension Timestamp: PostgresEncodable, PlainArrayElement {
    package static var postgresType: UInt32 { PostgresTimestamp.postgresType }
    package static var postgresArrayType: UInt32 { PostgresTimestamp.postgresArrayType }
    package static var elementType: UInt32 { PostgresTimestamp.elementType }

    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Timestamp {
        Timestamp(milliseconds: try PostgresTimestamp.decode(cell).milliseconds)
    }

    package func encode(into buffer: inout ParameterBuffer) {
        PostgresTimestamp(milliseconds: milliseconds).encode(into: &buffer)
    }

    package func appendElement(to buffer: inout ParameterBuffer) {
        PostgresTimestamp(milliseconds: milliseconds).appendElement(to: &buffer)
    }
}
