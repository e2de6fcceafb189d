/// The bytes of a stream that are not parsed yet.
struct ByteQueue {
    private var storage: [UInt8] = []
    private var start = 0

    var count: Int { storage.count - start }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ bytes: [UInt8]) {
        storage.removeFirst(start)
        start = 0
        storage += bytes
    }

    /// Returns the first bytes without removing them; `nil` if there are fewer.
    func peek(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= self.count else { return nil }
        return storage[start..<start + count]
    }

    /// Removes and returns the first bytes; `nil` if there are fewer.
    mutating func take(_ count: Int) -> [UInt8]? {
        guard let bytes = peek(count) else { return nil }
        start += count
        return Array(bytes)
    }

    /// Removes and returns all bytes; `nil` if there are none.
    mutating func takeAll() -> [UInt8]? {
        isEmpty ? nil : take(count)
    }
}
