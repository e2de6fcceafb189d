/// Reads the binary form of an array (`array_send` in PostgreSQL): dimensions, flags, element type, then the
/// elements, each with its length.
struct ArrayReader {
    let cell: PostgresCell
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var elementType: UInt32 = 0

    init(cell: PostgresCell, bytes: UnsafeRawBufferPointer) {
        self.cell = cell
        self.bytes = bytes
    }

    /// Reads the header.
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
        // An element takes at least four bytes, so the bytes limit the count before it is used to allocate
        // memory.
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
