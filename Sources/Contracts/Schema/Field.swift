/// A member of an object: its name, its schema, and where the object keeps it.
package struct Field<Root: Sendable, Value: Sendable>: Sendable {
    let shape: FieldShape
    let read: @Sendable (JSON?, inout FaultCollector) -> Value?
    let write: @Sendable (Root, inout JSONWriter) -> Void

    /// - Parameter read: given nothing where the member is left out; returns nothing only after noting a fault.
    init(
        shape: FieldShape, read: @escaping @Sendable (JSON?, inout FaultCollector) -> Value?,
        write: @escaping @Sendable (Root, inout JSONWriter) -> Void
    ) {
        self.shape = shape
        self.read = read
        self.write = write
    }

    /// The name, quoted, escaped and with its colon.
    fileprivate static func encoded(_ name: String) -> [UInt8] {
        var bytes: [UInt8] = []
        name.appendQuoted(to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        return bytes
    }
}

/// A member that must be there.
package func field<Root: Sendable, Value: Sendable>(
    _ name: String, _ get: @escaping @Sendable (Root) -> Value, _ schema: Schema<Value>
) -> Field<Root, Value> {
    let encoded = Field<Root, Value>.encoded(name)
    return Field(
        shape: FieldShape(name: name, shape: schema.shape, isRequired: true),
        read: { json, faults in
            guard let json else {
                faults.note("is required", at: FaultCollector.pointer(name))
                return nil
            }
            let first = faults.count
            let value = schema.read(json, &faults)
            faults.nest(from: first, under: name)
            return value
        },
        write: { root, writer in
            writer.encodedName(encoded)
            schema.write(get(root), &writer)
        })
}

/// A member that may be left out, and then is `default`; it is always written.
package func field<Root: Sendable, Value: Sendable>(
    _ name: String, _ get: @escaping @Sendable (Root) -> Value, _ schema: Schema<Value>, default standIn: Value
) -> Field<Root, Value> {
    let required = field(name, get, schema)
    let defaultValue = try? JSON.parse(schema.encode(standIn), limits: .trusted)
    return Field(
        shape: FieldShape(name: name, shape: schema.shape, isRequired: false, defaultValue: defaultValue),
        read: { json, faults in json == nil ? standIn : required.read(json, &faults) }, write: required.write)
}

/// A member that may be left out, and then is none; where it is none it is not written.
package func optionalField<Root: Sendable, Value: Sendable>(
    _ name: String, _ get: @escaping @Sendable (Root) -> Value?, _ schema: Schema<Value>
) -> Field<Root, Value?> {
    let encoded = Field<Root, Value>.encoded(name)
    return Field(
        shape: FieldShape(name: name, shape: schema.shape, isRequired: false),
        read: { json, faults in
            guard let json else { return .some(nil) }
            let first = faults.count
            let value = schema.read(json, &faults)
            faults.nest(from: first, under: name)
            return value.map { .some($0) }
        },
        write: { root, writer in
            guard let value = get(root) else { return }
            writer.encodedName(encoded)
            schema.write(value, &writer)
        })
}
