internal import CPostgres

/// The value of one column in one row, while it is decoded. A cell is valid only during the call that receives it.
package struct PostgresCell {
    /// The id of the column's type.
    let type: UInt32
    /// The bytes in the server's binary format, or `nil` for NULL. The result owns the bytes (PQgetvalue). The result
    /// exists longer than the cell.
    let bytes: UnsafeRawBufferPointer?
    private let result: OpaquePointer
    private let column: Int32

    /// Makes a cell. The row and the column must exist.
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

    /// Makes the cell of an element of this cell's array.
    func element(type: UInt32, bytes: UnsafeRawBufferPointer?) -> PostgresCell {
        PostgresCell(of: self, type: type, bytes: bytes)
    }

    /// Whether the column is NULL.
    package var isNull: Bool { bytes == nil }

    /// The column's name.
    package var name: String {
        PQfname(result, column).map { String(cString: $0) } ?? "#\(column)"
    }

    /// Makes an error that names the column.
    ///
    /// - Parameter problem: the rest of a sentence that begins with the column, such as "is NULL".
    package func mismatch(
        _ problem: String, fileID: StaticString = #fileID, line: UInt = #line
    ) -> PostgresError {
        let name = name
        return PostgresError(
            .decoding, "column \(name) of type \(type) \(problem)", column: name, fileID: fileID, line: line)
    }

    /// Returns the column's bytes.
    ///
    /// - Throws: ``PostgresError`` if the column is NULL.
    func contents() throws(PostgresError) -> UnsafeRawBufferPointer {
        guard let bytes else { throw mismatch("is NULL") }
        return bytes
    }

    /// Returns the UTF-8 bytes of a text column.
    ///
    /// - Throws: ``PostgresError`` if the column is NULL or has a built-in type whose binary form is not a text. The
    ///   bytes of a user-defined type are returned unchecked.
    func textContents() throws(PostgresError) -> UnsafeRawBufferPointer {
        let bytes = try contents()
        switch type {
        case TypeID.text, TypeID.varchar, TypeID.bpchar, TypeID.name, TypeID.json, TypeID.xml, TypeID.unknown:
            return bytes
        case TypeID.jsonb:
            // The text follows a version byte, which is 1 (jsonb_send in PostgreSQL).
            guard bytes.first == 1 else { throw mismatch("has an unknown jsonb version") }
            return UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        case TypeID.firstUserDefined...:
            return bytes
        default:
            throw mismatch("is not a text")
        }
    }

    /// Returns the value of a column of one of the integer types.
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
