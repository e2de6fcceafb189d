/// Decodes, checks, encodes and documents a message body or a part of one.
///
/// Schemas are composed of smaller schemas.
package struct Schema<Value: Sendable>: Sendable {
    /// A description of the accepted JSON, from which the documentation is generated.
    package let shape: Shape
    /// Decodes a value. It returns `nil` only after it has added a fault.
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
    /// Decodes a value and checks the whole value.
    ///
    /// - Throws: ``ValidationError`` with all faults.
    package func decode(_ json: JSON) throws(ValidationError) -> Value {
        var faults = FaultCollector()
        let value = read(json, &faults)
        guard let value, faults.count == 0 else {
            // A schema that returns `nil` without a fault is incorrect. The error must have a fault nevertheless.
            if faults.count == 0 { faults.add("is not valid") }
            throw ValidationError(faults: faults.faults)
        }
        return value
    }

    /// Appends a value to a writer, without checking it.
    package func encode(_ value: Value, to writer: inout JSONWriter) {
        write(value, &writer)
    }

    /// Returns a value as JSON bytes, without checking it.
    package func encode(_ value: Value) -> [UInt8] {
        JSONWriter.bytes { write(value, &$0) }
    }
}

/// A type that is decoded and encoded by its schema.
package protocol SchemaCodable: Sendable {
    static var schema: Schema<Self> { get }
    /// The part of an HTTP request that becomes a value of this type; by default the content.
    static var faultyPart: Problem.FaultyPart { get }
}

extension SchemaCodable {
    package static var faultyPart: Problem.FaultyPart { .content }

    /// Appends the value to a writer.
    package func write(to writer: inout JSONWriter) {
        Self.schema.write(self, &writer)
    }

    /// Returns the value as JSON bytes.
    package func jsonBytes() -> [UInt8] {
        Self.schema.encode(self)
    }

    /// The value as a JSON tree; `nil` if it exceeds ``JSONLimits/trusted``.
    var json: JSON? { try? JSON.parse(jsonBytes(), limits: .trusted) }
}
