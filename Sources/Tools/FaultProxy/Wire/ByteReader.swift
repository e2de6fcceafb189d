/// Reads the fields of one message. Each function returns `nil` if the message ends before the field does.
struct ByteReader {
    private var bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
    }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= bytes.count else { return nil }
        defer { bytes = bytes.dropFirst(count) }
        return bytes.prefix(count)
    }

    /// Reads a number in network byte order.
    mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type = Number.self) -> Number? {
        take(MemoryLayout<Number>.size)?.reduce(0) { $0 << 8 | Number($1) }
    }

    /// Reads an AMQP short string: a length field of one byte, then the text.
    mutating func shortString() -> String? {
        number(UInt8.self).flatMap { take(Int($0)) }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Reads a text that ends with a zero byte.
    mutating func zeroTerminated() -> String? {
        guard let end = bytes.firstIndex(of: 0) else { return nil }
        defer { bytes = bytes[(end + 1)...] }
        return String(decoding: bytes[..<end], as: UTF8.self)
    }
}
