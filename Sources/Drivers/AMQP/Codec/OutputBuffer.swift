/// The bytes to send. The encoder appends bytes at the end; the connection sends and removes bytes from the front.
struct OutputBuffer: ~Copyable {
    /// The initial capacity. After a burst, a much larger storage is replaced by one of this capacity.
    private static let baseCapacity = 64 * 1024

    private var storage = UnsafeMutableRawBufferPointer.allocate(byteCount: OutputBuffer.baseCapacity, alignment: 8)
    private var head = 0
    private var tail = 0

    deinit {
        storage.deallocate()
    }

    /// The number of bytes to send.
    var count: Int { tail - head }

    /// Whether there are no bytes to send.
    var isEmpty: Bool { tail == head }

    /// Passes the bytes to a closure. They are valid only inside the closure.
    func withPending<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(rebasing: storage[head..<tail]))
    }

    /// Removes bytes from the front, at most ``count``.
    mutating func consume(_ count: Int) {
        head = min(tail, head + max(0, count))
        guard head == tail else { return }
        head = 0
        tail = 0
        if storage.count > 16 * Self.baseCapacity { replaceStorage(capacity: Self.baseCapacity) }
    }

    /// Removes the bytes that were appended since ``count`` had the given value.
    mutating func rewind(toCount count: Int) {
        tail = min(tail, head + max(0, count))
    }

    /// Makes room for bytes at the end: moves the content to the front of the storage, or to a storage of at least
    /// twice the size.
    private mutating func reserve(_ size: Int) {
        guard storage.count - tail < size else { return }
        let needed = count + size
        replaceStorage(capacity: needed <= storage.count / 2 ? storage.count : max(needed, storage.count * 2))
    }

    private mutating func replaceStorage(capacity: Int) {
        let replacement = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 8)
        replacement.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[head..<tail]))
        tail -= head
        head = 0
        storage.deallocate()
        storage = replacement
    }

    // MARK: Appending

    /// Appends a number in network byte order (AMQP 0-9-1, section 4.2.5).
    mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        let size = MemoryLayout<Number>.size
        reserve(size)
        storage.storeBytes(of: number.bigEndian, toByteOffset: tail, as: Number.self)
        tail += size
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        reserve(bytes.count)
        UnsafeMutableRawBufferPointer(rebasing: storage[tail..<tail + bytes.count]).copyMemory(from: bytes)
        tail += bytes.count
    }

    /// Reserves four bytes for a length that is not known yet.
    ///
    /// - Returns: the position to pass to ``fillLength(at:)``.
    mutating func appendLength() -> Int {
        append(UInt32(0))
        return count
    }

    /// Writes the number of bytes that were appended since ``appendLength()`` into the reserved bytes.
    mutating func fillLength(at position: Int) {
        let length = UInt32(truncatingIfNeeded: count - position)
        storage.storeBytes(of: length.bigEndian, toByteOffset: head + position - 4, as: UInt32.self)
    }
}
