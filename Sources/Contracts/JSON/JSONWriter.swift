/// Appends JSON to a byte array, without a tree of values. The writer inserts the commas.
///
/// The caller must close each object and array that it opens. ``object(_:)`` and ``array(of:_:)`` open and close it.
package struct JSONWriter: Sendable {
    /// The bytes written so far.
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// - Parameter capacity: the number of bytes to reserve.
    package init(capacity: Int = 512) {
        bytes.reserveCapacity(capacity)
    }

    /// Returns the bytes that `body` writes.
    package static func bytes(capacity: Int = 512, _ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter(capacity: capacity)
        body(&writer)
        return writer.bytes
    }

    /// Opens an object, which `endObject` closes.
    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    /// Opens an array, which `endArray` closes.
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    /// Writes an object. `body` writes a name and a value for each member.
    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        beginObject()
        body(&self)
        endObject()
    }

    /// Writes an array. `body` writes one value for each element.
    package mutating func array<Elements: Sequence>(
        of elements: Elements, _ body: (inout JSONWriter, Elements.Element) -> Void
    ) {
        beginArray()
        for element in elements { body(&self, element) }
        endArray()
    }

    /// Writes the name of a member, whose value must follow.
    package mutating func name(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a name that already has its quotes, escapes and colon.
    mutating func encodedName(_ name: [UInt8]) {
        separate()
        bytes.append(contentsOf: name)
        needsComma = false
    }

    package mutating func null() { literal("null") }
    package mutating func bool(_ value: Bool) { value ? literal("true") : literal("false") }

    /// Writes an integer.
    package mutating func integer(_ value: Int64) {
        separate()
        value.appendDecimal(to: &bytes)
    }

    package mutating func integer(_ value: Int) { integer(Int64(value)) }

    /// Writes a number. Infinities and NaN become `null`, because JSON cannot represent them.
    package mutating func double(_ value: Double) {
        guard value.isFinite else { return null() }
        separate()
        bytes.append(contentsOf: value.description.utf8)
    }

    /// Writes a string with the escapes that RFC 8259 requires.
    package mutating func string(_ value: String) {
        separate()
        value.appendQuoted(to: &bytes)
    }

    /// Writes a string of ASCII bytes that need no escapes.
    mutating func plainString(_ text: Span<UInt8>) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        text.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func literal(_ text: StaticString) {
        separate()
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func open(_ byte: UInt8) {
        separate()
        bytes.append(byte)
        needsComma = false
    }

    private mutating func close(_ byte: UInt8) {
        bytes.append(byte)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }
}

extension Int64 {
    /// Appends the number in decimal.
    fileprivate func appendDecimal(to bytes: inout [UInt8]) {
        if (0..<10).contains(self) { return bytes.append(UInt8(ascii: "0") + UInt8(self)) }
        let start = bytes.count
        var rest = magnitude
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        }
        if self < 0 { bytes.append(UInt8(ascii: "-")) }
        bytes[start...].reverse()
    }
}
