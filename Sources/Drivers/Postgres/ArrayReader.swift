/// Reads the binary form of an array (`array_send` in PostgreSQL).
///
/// The header has the number of dimensions, a flag for NULLs, the type of the elements, and for each dimension its
/// length and its lower bound. The elements follow, each after its length in bytes; the length of NULL is -1.
struct ArrayReader {
    let cell: PostgresCell
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var elementType: UInt32 = 0

    init(cell: PostgresCell, bytes: UnsafeRawBufferPointer) {
        self.cell = cell
        self.bytes = bytes
    }

    /// Reads the header of an array without dimensions (an empty array) or with one dimension.
    ///
    /// - Returns: the number of elements that follow.
    mutating func readHeader() throws(PostgresError) -> Int {
        let dimensions = try readInteger()
        _ = try readInteger()
        elementType = UInt32(bitPattern: try readInteger())
        guard dimensions != 0 else { return 0 }
        guard dimensions == 1 else { throw cell.mismatch("has \(dimensions) dimensions") }
        let count = Int(try readInteger())
        _ = try readInteger()
        // The caller reserves memory for this number of elements. Each element takes at least four bytes, so a
        // number that the remaining bytes cannot hold is refused here.
        guard count >= 0, count <= (bytes.count - position) / 4 else { throw cell.mismatch("is not an array") }
        return count
    }

    mutating func nextElement() throws(PostgresError) -> PostgresCell {
        let length = Int(try readInteger())
        guard length >= 0 else { return cell.element(type: elementType, bytes: nil) }
        guard length <= bytes.count - position else { throw cell.mismatch("is truncated") }
        defer { position += length }
        return cell.element(
            type: elementType, bytes: UnsafeRawBufferPointer(rebasing: bytes[position..<position + length]))
    }

    private mutating func readInteger() throws(PostgresError) -> Int32 {
        guard bytes.count - position >= 4 else { throw cell.mismatch("is truncated or not an array") }
        defer { position += 4 }
        return Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: Int32.self))
    }
}
