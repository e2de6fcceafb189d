package import FoundationEssentials

/// A type whose arrays can be parameters and columns.
///
/// `[UInt8]` is `bytea`; arrays of every other element are PostgreSQL arrays of one dimension, without NULLs in them.
package protocol PostgresArrayElement: Sendable {
    /// The id of the array's type.
    static var postgresArrayType: UInt32 { get }
    /// Appends an array as one parameter.
    static func encodeArray(_ array: [Self], into buffer: inout ParameterBuffer)
    /// Reads an array out of a column.
    static func decodeArray(_ cell: PostgresCell) throws(PostgresError) -> [Self]
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    package static var postgresType: UInt32 { Element.postgresArrayType }

    package func encode(into buffer: inout ParameterBuffer) {
        Element.encodeArray(self, into: &buffer)
    }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> [Element] {
        try Element.decodeArray(cell)
    }
}

extension UInt8: PostgresArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.bytea }

    package static func encodeArray(_ array: [UInt8], into buffer: inout ParameterBuffer) {
        buffer.appendValue(type: TypeID.bytea) { $0.appendBytes(array) }
    }

    package static func decodeArray(_ cell: PostgresCell) throws(PostgresError) -> [UInt8] {
        [UInt8](try cell.contents(types: TypeID.bytea, asTextToo: true))
    }
}

/// An element with a binary form of its own; the array's form follows from it (`array_recv` of PostgreSQL).
protocol PlainArrayElement: PostgresArrayElement, PostgresDecodable {
    static var elementType: UInt32 { get }
    func appendElement(to buffer: inout ParameterBuffer)
}

extension PlainArrayElement {
    package static func encodeArray(_ array: [Self], into buffer: inout ParameterBuffer) {
        buffer.appendValue(type: postgresArrayType) { buffer in
            buffer.appendBigEndian((array.isEmpty ? 0 : 1) as Int32)
            buffer.appendBigEndian(0 as Int32)
            buffer.appendBigEndian(elementType)
            guard !array.isEmpty else { return }
            buffer.appendBigEndian(Int32(clamping: array.count))
            buffer.appendBigEndian(1 as Int32)
            for element in array {
                buffer.appendSized { element.appendElement(to: &$0) }
            }
        }
    }

    package static func decodeArray(_ cell: PostgresCell) throws(PostgresError) -> [Self] {
        var reader = ArrayReader(cell: cell, bytes: try cell.contents())
        let count = try reader.readHeader()
        var array: [Self] = []
        array.reserveCapacity(count)
        for _ in 0..<count {
            array.append(try Self.decode(try reader.nextElement()))
        }
        return array
    }
}

extension String: PlainArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.textArray }
    static var elementType: UInt32 { TypeID.text }

    func appendElement(to buffer: inout ParameterBuffer) {
        buffer.appendTextBytes(self)
    }
}

extension UUID: PlainArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.uuidArray }
    static var elementType: UInt32 { TypeID.uuid }

    func appendElement(to buffer: inout ParameterBuffer) {
        withUnsafeBytes(of: uuid) { bytes in
            buffer.appendBigEndian(bytes.loadUnaligned(as: UInt64.self).bigEndian)
            buffer.appendBigEndian(bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian)
        }
    }
}

extension Int: PlainArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.int8Array }
    static var elementType: UInt32 { TypeID.int8 }

    func appendElement(to buffer: inout ParameterBuffer) {
        buffer.appendBigEndian(Int64(self))
    }
}

extension Int64: PlainArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.int8Array }
    static var elementType: UInt32 { TypeID.int8 }

    func appendElement(to buffer: inout ParameterBuffer) {
        buffer.appendBigEndian(self)
    }
}

extension Int32: PlainArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.int4Array }
    static var elementType: UInt32 { TypeID.int4 }

    func appendElement(to buffer: inout ParameterBuffer) {
        buffer.appendBigEndian(self)
    }
}

extension Bool: PlainArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.boolArray }
    static var elementType: UInt32 { TypeID.bool }

    func appendElement(to buffer: inout ParameterBuffer) {
        buffer.appendBigEndian(self ? 1 as UInt8 : 0)
    }
}

extension Double: PlainArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.float8Array }
    static var elementType: UInt32 { TypeID.float8 }

    func appendElement(to buffer: inout ParameterBuffer) {
        buffer.appendBigEndian(bitPattern)
    }
}

extension PostgresTimestamp: PlainArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.timestamptzArray }
    static var elementType: UInt32 { TypeID.timestamptz }

    func appendElement(to buffer: inout ParameterBuffer) {
        buffer.appendBigEndian(sincePostgresEpoch)
    }
}
