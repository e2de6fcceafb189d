internal import CPostgres

/// A statement's result: its rows, or the number of rows it affected.
package struct Rows: Sendable, RandomAccessCollection {
    let result: ResultHandle

    /// The number of rows.
    package let count: Int

    init(_ result: ResultHandle) {
        self.result = result
        count = Int(PQntuples(result.pointer))
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { count }

    /// One row. An index that is not from 0 to ``count`` - 1 traps, as it does for an array.
    package subscript(index: Int) -> Row {
        precondition(index >= 0 && index < count, "the row index is out of range")
        return Row(result: result, index: Int32(truncatingIfNeeded: index))
    }

    /// The number of rows that an INSERT, UPDATE or DELETE affected or that a SELECT returned; 0 for other
    /// commands (PQcmdTuples).
    package var affected: Int {
        PQcmdTuples(result.pointer).flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// The command's tag, such as `INSERT 0 1` (PQcmdStatus).
    var commandTag: String {
        PQcmdStatus(result.pointer).map { String(cString: $0) } ?? ""
    }
}

/// One row of a result. Its columns are decoded when they are read.
package struct Row: Sendable {
    let result: ResultHandle
    let index: Int32

    /// Reads one column.
    ///
    /// - Throws: ``PostgresError`` with the code `decoding`, which names the column, if the column has another
    ///   type, is NULL although `Value` is not optional, or does not exist.
    package func get<Value: PostgresDecodable>(_ column: Int, as type: Value.Type = Value.self)
        throws(PostgresError) -> Value
    {
        let columns = Int(PQnfields(result.pointer))
        guard column >= 0, column < columns else {
            throw PostgresError(.decoding, "column \(column) does not exist; the row has \(columns) columns")
        }
        return try Value.decode(PostgresCell(result: result.pointer, row: index, column: Int32(column)))
    }

    /// Reads the first columns as a tuple: `row.decode((UUID, String, Int?).self)`.
    ///
    /// - Throws: as ``get(_:as:)``, for the first column that cannot be read.
    package func decode<each Column: PostgresDecodable>(_ types: (repeat each Column).Type)
        throws(PostgresError) -> (repeat each Column)
    {
        var column = -1
        func next() -> Int {
            column += 1
            return column
        }
        return (repeat try get(next(), as: (each Column).self))
    }
}

/// Owns a result of libpq (`PGresult`). The result is freed when the last reference to this object is released.
// Unchecked: libpq does not change a PGresult after returning it, and several threads may read one (libpq manual,
// "Behavior in Threaded Programs").
final class ResultHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQclear(pointer)
    }
}
