internal import CPostgres

/// One column of one row while it is decoded; it must not outlive the call it is given to.
package struct PostgresCell {
    /// The type's object id.
    let type: UInt32
    /// The bytes in the server's binary format, or nil for NULL. They belong to the result, which outlives the cell.
    let bytes: UnsafeRawBufferPointer?
    private let result: OpaquePointer
    private let column: Int32

    /// The caller has checked that the row and the column exist.
    init(result: OpaquePointer, row: Int32, column: Int32) {
        self.result = result
        self.column = column
        type = PQftype(result, column)
        if PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) {
            bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column)))
        } else {
            bytes = nil
        }
    }

    private init(of cell: PostgresCell, type: UInt32, bytes: UnsafeRawBufferPointer?) {
        self.type = type
        self.bytes = bytes
        result = cell.result
        column = cell.column
    }

    func element(type: UInt32, bytes: UnsafeRawBufferPointer?) -> PostgresCell {
        PostgresCell(of: self, type: type, bytes: bytes)
    }

    /// Whether the column is NULL.
    package var isNull: Bool { bytes == nil }

    /// The column's name.
    package var name: String {
        PQfname(result, column).map { String(cString: $0) } ?? "#\(column)"
    }

    /// An error that names the column and says what is wrong with it.
    package func mismatch(_ what: String) -> PostgresError {
        let name = name
        return PostgresError(
            storage: PostgresError.Storage(
                code: .decoding, message: "column \(name) of type \(type) \(what)", column: name))
    }

    /// The bytes of a column that is not NULL.
    func contents() throws(PostgresError) -> UnsafeRawBufferPointer {
        guard let bytes else { throw mismatch("is NULL") }
        return bytes
    }

    /// The bytes of a column of one type, or of any type whose binary form is its text.
    func contents(types: UInt32, asTextToo: Bool) throws(PostgresError) -> UnsafeRawBufferPointer {
        type == types ? try contents() : try textContents()
    }

    /// The bytes of a column whose binary form is its text.
    func textContents() throws(PostgresError) -> UnsafeRawBufferPointer {
        let bytes = try contents()
        switch type {
        case TypeID.text, TypeID.varchar, TypeID.bpchar, TypeID.name, TypeID.json, TypeID.xml, TypeID.unknown:
            return bytes
        case TypeID.jsonb:
            // One byte of version, which has been 1 ever since, then the text (jsonb_send).
            guard bytes.first == 1 else { throw mismatch("has an unknown version") }
            return UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        case TypeID.firstUserDefined...:
            return bytes
        default:
            throw mismatch("is not a text")
        }
    }

    /// The integer of a column of any of the integer types.
    func integer() throws(PostgresError) -> Int64 {
        let bytes = try contents()
        switch (type, bytes.count) {
        case (TypeID.int8, 8): return Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
        case (TypeID.int4, 4): return Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
        case (TypeID.int2, 2): return Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
        case (TypeID.oid, 4): return Int64(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
        default: throw mismatch("is not an integer")
        }
    }
}
