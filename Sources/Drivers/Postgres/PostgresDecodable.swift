package import FoundationEssentials

/// A type as which columns can be read.
package protocol PostgresDecodable: Sendable {
    /// Reads a column.
    ///
    /// - Throws: ``PostgresError`` with the code `decoding`, which names the column.
    static func decode(_ cell: PostgresCell) throws(PostgresError) -> Self
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Wrapped? {
        if cell.isNull { return nil }
        return try Wrapped.decode(cell)
    }
}

/// A string can be read from a column of type text, varchar, char, name, json, jsonb or xml, of an enum type, and of a
/// type of an extension whose binary form is a text, such as citext.
extension String: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> String {
        guard let text = String(validating: try cell.textContents(), as: UTF8.self) else {
            throw cell.mismatch("is not UTF-8")
        }
        return text
    }
}

extension Int64: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Int64 {
        try cell.integer()
    }
}

extension Int: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Int {
        Int(try cell.integer())
    }
}

extension Int32: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Int32 {
        guard let value = Int32(exactly: try cell.integer()) else { throw cell.mismatch("does not fit into 32 bits") }
        return value
    }
}

extension Int16: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Int16 {
        guard let value = Int16(exactly: try cell.integer()) else { throw cell.mismatch("does not fit into 16 bits") }
        return value
    }
}

extension Bool: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Bool {
        let bytes = try cell.contents()
        guard cell.type == TypeID.bool, bytes.count == 1 else { throw cell.mismatch("is not a boolean") }
        return bytes[0] != 0
    }
}

extension Double: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Double {
        let bytes = try cell.contents()
        if cell.type == TypeID.float4 { return Double(try Float.decode(cell)) }
        guard cell.type == TypeID.float8, bytes.count == 8 else { throw cell.mismatch("is not a double precision") }
        return Double(bitPattern: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)))
    }
}

extension Float: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Float {
        let bytes = try cell.contents()
        guard cell.type == TypeID.float4, bytes.count == 4 else { throw cell.mismatch("is not a real") }
        return Float(bitPattern: UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
    }
}

extension UUID: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> UUID {
        let bytes = try cell.contents()
        guard cell.type == TypeID.uuid, bytes.count == 16 else { throw cell.mismatch("is not a uuid") }
        return UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
    }
}
