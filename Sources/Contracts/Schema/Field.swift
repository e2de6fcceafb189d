/// A member of an object: its name, its schema and the Swift property that contains its value.
package struct Field<Root: Sendable, Value: Sendable>: Sendable {
    let shape: FieldShape
    let reader: FieldReader<Value>
    let write: @Sendable (Root, inout JSONWriter) -> Void
}

/// Decodes one member.
///
/// ``Field`` also has the shape and the encoder. The decoder of an object (`ObjectReader`) needs neither, so it stores
/// only the readers of its fields.
struct FieldReader<Value: Sendable>: Sendable {
    let name: String
    /// Decodes the member's JSON. It returns `nil` only after it has added a fault.
    let read: @Sendable (JSON, inout FaultCollector) -> Value?
    /// The value of an absent member; `nil` if the member is required.
    let defaultValue: Value?

    /// Decodes the member, or returns the default if the member is absent.
    ///
    /// - Throws: ``InvalidField`` after it has added a fault.
    func value(of object: JSONObject, _ faults: inout FaultCollector) throws(InvalidField) -> Value {
        let value: Value?
        if let json = object[name] {
            let first = faults.count
            value = read(json, &faults)
            faults.prependPointer(from: first, name)
        } else {
            value = defaultValue
            if defaultValue == nil { faults.add("is required", at: FaultCollector.pointer(name)) }
        }
        guard let value else { throw InvalidField() }
        return value
    }

    /// Adds the faults of the member.
    func check(_ object: JSONObject, _ faults: inout FaultCollector) {
        _ = try? value(of: object, &faults)
    }
}

/// A member violates its schema. The faults are already in the collector.
struct InvalidField: Error {}

/// A required member.
package func field<Root: Sendable, Value: Sendable>(
    _ name: String, _ get: @escaping @Sendable (Root) -> Value, _ schema: Schema<Value>
) -> Field<Root, Value> {
    field(name, get, schema, defaultValue: nil)
}

/// An optional member with a default. The member is always encoded, even if its value is the default.
package func field<Root: Sendable, Value: Sendable>(
    _ name: String, _ get: @escaping @Sendable (Root) -> Value, _ schema: Schema<Value>, default defaultValue: Value
) -> Field<Root, Value> {
    field(name, get, schema, defaultValue: .some(defaultValue))
}

/// An optional member without a default. The member is not encoded if its value is `nil`.
package func optionalField<Root: Sendable, Value: Sendable>(
    _ name: String, _ get: @escaping @Sendable (Root) -> Value?, _ schema: Schema<Value>
) -> Field<Root, Value?> {
    let read = schema.read
    return optionalField(name, get, schema, schema.shape) { json, faults in read(json, &faults).map { .some($0) } }
}

/// An optional member that can also be `null`, which means the same as its absence. The member is not encoded if its
/// value is `nil`.
package func optionalField<Root: Sendable, Value: Sendable>(
    _ name: String, _ get: @escaping @Sendable (Root) -> Value?, nullable schema: Schema<Value>
) -> Field<Root, Value?> {
    optionalField(name, get, schema, schema.nullable.shape, schema.nullable.read)
}

private func optionalField<Root: Sendable, Value: Sendable>(
    _ name: String, _ get: @escaping @Sendable (Root) -> Value?, _ schema: Schema<Value>, _ shape: Shape,
    _ read: @escaping @Sendable (JSON, inout FaultCollector) -> Value??
) -> Field<Root, Value?> {
    let (write, encodedName) = (schema.write, encoded(name))
    return Field(
        shape: FieldShape(name: name, shape: shape, isRequired: false),
        reader: FieldReader(name: name, read: read, defaultValue: .some(nil)),
        write: { root, writer in
            guard let value = get(root) else { return }
            writer.encodedName(encodedName)
            write(value, &writer)
        })
}

private func field<Root: Sendable, Value: Sendable>(
    _ name: String, _ get: @escaping @Sendable (Root) -> Value, _ schema: Schema<Value>, defaultValue: Value?
) -> Field<Root, Value> {
    let (write, encodedName) = (schema.write, encoded(name))
    let defaultJSON = defaultValue.flatMap { try? JSON.parse(schema.encode($0), limits: .trusted) }
    return Field(
        shape: FieldShape(
            name: name, shape: schema.shape, isRequired: defaultValue == nil, defaultValue: defaultJSON),
        reader: FieldReader(name: name, read: schema.read, defaultValue: defaultValue),
        write: { root, writer in
            writer.encodedName(encodedName)
            write(get(root), &writer)
        })
}

/// Returns a name with its quotes, escapes and colon.
private func encoded(_ name: String) -> [UInt8] {
    var bytes: [UInt8] = []
    name.appendQuoted(to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    return bytes
}
