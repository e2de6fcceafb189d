/// One description of a message or a part of one, by which it is read, checked, written and documented.
///
/// A schema is a value put together from smaller ones; ``shape`` is the same description as data.
package struct Schema<Value: Sendable>: Sendable {
    /// The same description as data.
    package let shape: Shape
    /// Returns nothing only after it has noted a fault.
    let read: @Sendable (JSON, inout FaultCollector) -> Value?
    let write: @Sendable (Value, inout JSONWriter) -> Void

    init(
        shape: Shape, read: @escaping @Sendable (JSON, inout FaultCollector) -> Value?,
        write: @escaping @Sendable (Value, inout JSONWriter) -> Void
    ) {
        self.shape = shape
        self.read = read
        self.write = write
    }
}

extension Schema {
    /// Reads a value and checks all of it.
    ///
    /// - Throws: ``ValidationError`` with everything that is wrong.
    package func decode(_ json: JSON) throws(ValidationError) -> Value {
        var faults = FaultCollector()
        let value = read(json, &faults)
        guard let value, faults.count == 0 else {
            if faults.count == 0 { faults.note("is not valid") }
            throw ValidationError(faults: faults.faults)
        }
        return value
    }

    /// Appends a value to what the writer has. What is written is not checked.
    package func encode(_ value: Value, to writer: inout JSONWriter) {
        write(value, &writer)
    }

    /// A value as JSON bytes.
    package func encode(_ value: Value) -> [UInt8] {
        JSONWriter.bytes { write(value, &$0) }
    }
}

/// A type that travels: it has one schema, which reads and writes it.
package protocol SchemaCodable: Sendable {
    static var schema: Schema<Self> { get }
}

extension SchemaCodable {
    /// Appends the value to what the writer has.
    package func write(to writer: inout JSONWriter) {
        Self.schema.write(self, &writer)
    }

    /// The value as JSON bytes.
    package func jsonBytes() -> [UInt8] {
        Self.schema.encode(self)
    }
}
