internal import CPostgres

/// One row of an answer, decoded column by column.
package struct Row: Sendable {
    let result: ResultHandle
    let index: Int32

    /// Reads one column.
    ///
    /// - Throws: ``PostgresError`` with ``PostgresError/Code/decoding``, naming the column, where it is of another type, is
    ///   NULL and the type is not optional, or does not exist.
    package func get<Value: PostgresDecodable>(_ column: Int, as type: Value.Type = Value.self)
        throws(PostgresError) -> Value
    {
        let columns = Int(PQnfields(result.pointer))
        guard column >= 0, column < columns else {
            throw PostgresError(.decoding, "column \(column) of \(columns) columns does not exist")
        }
        return try Value.decode(PostgresCell(result: result.pointer, row: index, column: Int32(column)))
    }

    /// Reads one column by its name; where several have it, the first.
    ///
    /// - Throws: as the other form.
    package func get<Value: PostgresDecodable>(_ column: String, as type: Value.Type = Value.self)
        throws(PostgresError) -> Value
    {
        // PQfnumber folds names as SQL does; in quotes they are taken as they are.
        let number = PQfnumber(result.pointer, "\"\(column)\"")
        guard number >= 0 else { throw PostgresError(.decoding, "column \(column) does not exist") }
        return try get(Int(number), as: type)
    }

    /// Reads the first columns of the row as a tuple: `row.decode((UUID, String, Int?).self)`.
    ///
    /// - Throws: as ``get(_:as:)``, for the first column that is wrong.
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
