package import FoundationEssentials

/// A type whose arrays can be parameters and columns.
///
/// `[UInt8]` stands for `bytea`. An array of another type stands for a PostgreSQL array with one dimension. It can
/// contain NULL only if its element type is optional.
package protocol PostgresArrayElement: Sendable {
    /// The id of the PostgreSQL type of the array.
    static var postgresArrayType: UInt32 { get }
    /// Appends an array as one parameter.
    static func encodeArray(_ array: [Self], into buffer: inout ParameterBuffer)
    /// Reads an array from a column.
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
        [UInt8](cell.type == TypeID.bytea ? try cell.contents() : try cell.textContents())
    }
}

/// An element type of PostgreSQL arrays. The binary form of an array contains the binary forms of its elements
/// (`array_recv` in PostgreSQL).
package protocol PlainArrayElement: PostgresArrayElement, PostgresDecodable {
    /// The id of the PostgreSQL type of the element.
    static var elementType: UInt32 { get }
    /// Whether the element stands for NULL.
    var isNull: Bool { get }
    /// Appends the element's bytes.
    func appendElement(to buffer: inout ParameterBuffer)
}

extension PlainArrayElement {
    package var isNull: Bool { false }

    package static func encodeArray(_ array: [Self], into buffer: inout ParameterBuffer) {
        buffer.appendValue(type: postgresArrayType) { buffer in
            buffer.appendBigEndian((array.isEmpty ? 0 : 1) as Int32)
            buffer.appendBigEndian((array.contains { $0.isNull } ? 1 : 0) as Int32)
            buffer.appendBigEndian(elementType)
            guard !array.isEmpty else { return }
            buffer.appendBigEndian(Int32(clamping: array.count))
            buffer.appendBigEndian(1 as Int32)
            for element in array {
                if element.isNull {
                    buffer.appendBigEndian(-1 as Int32)
                } else {
                    buffer.appendSized { element.appendElement(to: &$0) }
                }
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

extension Optional: PostgresArrayElement where Wrapped: PlainArrayElement {}

extension Optional: PlainArrayElement where Wrapped: PlainArrayElement {
    package static var postgresArrayType: UInt32 { Wrapped.postgresArrayType }
    package static var elementType: UInt32 { Wrapped.elementType }
    package var isNull: Bool { self == nil }

    package func appendElement(to buffer: inout ParameterBuffer) {
        self?.appendElement(to: &buffer)
    }
}

extension Array: PostgresArrayElement where Element == UInt8 {}

extension Array: PlainArrayElement where Element == UInt8 {
    package static var postgresArrayType: UInt32 { TypeID.byteaArray }
    package static var elementType: UInt32 { TypeID.bytea }

    package func appendElement(to buffer: inout ParameterBuffer) {
        buffer.appendBytes(self)
    }
}

extension String: PlainArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.textArray }
    package static var elementType: UInt32 { TypeID.text }

    package func appendElement(to buffer: inout ParameterBuffer) {
        buffer.appendTextBytes(self)
    }
}

extension UUID: PlainArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.uuidArray }
    package static var elementType: UInt32 { TypeID.uuid }

    package func appendElement(to buffer: inout ParameterBuffer) {
        withUnsafeBytes(of: uuid) { bytes in
            buffer.appendBigEndian(bytes.loadUnaligned(as: UInt64.self).bigEndian)
            buffer.appendBigEndian(bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian)
        }
    }
}

extension Int: PlainArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.int8Array }
    package static var elementType: UInt32 { TypeID.int8 }

    package func appendElement(to buffer: inout ParameterBuffer) {
        buffer.appendBigEndian(Int64(self))
    }
}

extension Int64: PlainArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.int8Array }
    package static var elementType: UInt32 { TypeID.int8 }

    package func appendElement(to buffer: inout ParameterBuffer) {
        buffer.appendBigEndian(self)
    }
}

extension Int32: PlainArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.int4Array }
    package static var elementType: UInt32 { TypeID.int4 }

    package func appendElement(to buffer: inout ParameterBuffer) {
        buffer.appendBigEndian(self)
    }
}

extension Bool: PlainArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.boolArray }
    package static var elementType: UInt32 { TypeID.bool }

    package func appendElement(to buffer: inout ParameterBuffer) {
        buffer.appendBigEndian(self ? 1 as UInt8 : 0)
    }
}

extension Double: PlainArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.float8Array }
    package static var elementType: UInt32 { TypeID.float8 }

    package func appendElement(to buffer: inout ParameterBuffer) {
        buffer.appendBigEndian(bitPattern)
    }
}

extension PostgresTimestamp: PlainArrayElement {
    package static var postgresArrayType: UInt32 { TypeID.timestamptzArray }
    package static var elementType: UInt32 { TypeID.timestamptz }

    package func appendElement(to buffer: inout ParameterBuffer) {
        buffer.appendBigEndian(sincePostgresEpoch)
    }
}
