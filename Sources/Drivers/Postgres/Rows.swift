internal import CPostgres

/// What a statement answered: its rows, or how many rows it affected.
package struct Rows: Sendable, RandomAccessCollection {
    let result: ResultHandle

    /// How many rows there are.
    package let count: Int

    init(_ result: ResultHandle) {
        self.result = result
        count = Int(PQntuples(result.pointer))
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { count }

    /// One row. The index must be less than ``count``, as for an array.
    package subscript(index: Int) -> Row {
        precondition(index >= 0 && index < count, "no such row")
        return Row(result: result, index: Int32(truncatingIfNeeded: index))
    }

    /// How many rows an INSERT, UPDATE or DELETE affected, or a SELECT returned; 0 for everything else (PQcmdTuples).
    package var affected: Int {
        PQcmdTuples(result.pointer).flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// The names of the columns, in their order.
    package var columns: [String] {
        (0..<PQnfields(result.pointer)).map { column in
            PQfname(result.pointer, column).map { String(cString: $0) } ?? ""
        }
    }

    /// The command's tag, such as `INSERT 0 1` (PQcmdStatus).
    var commandTag: String {
        PQcmdStatus(result.pointer).map { String(cString: $0) } ?? ""
    }
}

/// Owns a result of libpq.
// Unchecked: a PGresult is read-only once libpq has returned it, and such may be read from any thread (libpq manual,
// "Behavior in Threaded Programs"); it is cleared when nobody refers to it any more.
final class ResultHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQclear(pointer)
    }
}
