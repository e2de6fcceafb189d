/// The bytes on their way to the broker: appended to by the encoder, taken from the front by the socket.
struct OutputBuffer: ~Copyable {
    /// What is kept while nothing waits; more is given back after a burst.
    private static let kept = 64 * 1024

    private var storage = UnsafeMutableRawBufferPointer.allocate(byteCount: OutputBuffer.kept, alignment: 8)
    private var head = 0
    private var tail = 0

    deinit {
        storage.deallocate()
    }

    /// How many bytes wait.
    var count: Int { tail - head }

    /// Whether nothing waits.
    var isEmpty: Bool { tail == head }

    /// Gives the bytes that wait; they are good inside the closure only.
    func withPending<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(rebasing: storage[head..<tail]))
    }

    /// Takes bytes from the front, at most those that wait.
    mutating func consume(_ count: Int) {
        head = min(tail, head + max(0, count))
        guard head == tail else { return }
        head = 0
        tail = 0
        if storage.count > 16 * Self.kept { replaceStorage(capacity: Self.kept) }
    }

    /// Takes back what was appended since ``count`` was the given number.
    mutating func rewind(toCount count: Int) {
        tail = min(tail, head + max(0, count))
    }

    /// Makes room at the end: what waits moves to the front, or to a storage twice as large.
    private mutating func reserve(_ room: Int) {
        guard storage.count - tail < room else { return }
        let needed = count + room
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

    // MARK: Appending; numbers go out in network byte order (AMQP 0-9-1, section 4.2.5)

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

    /// Appends room for a length that is known only once what follows has been appended.
    ///
    /// - Returns: the place to give to ``fillLength(at:)``.
    mutating func appendLength() -> Int {
        append(UInt32(0))
        return count
    }

    /// Writes the number of bytes appended since into the room made for it.
    mutating func fillLength(at place: Int) {
        let length = UInt32(truncatingIfNeeded: count - place)
        storage.storeBytes(of: length.bigEndian, toByteOffset: head + place - 4, as: UInt32.self)
    }
}
