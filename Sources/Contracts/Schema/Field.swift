/// A member of an object: its name, its schema, and where the object keeps it.
package struct Field<Root: Sendable, Value: Sendable>: Sendable {
    let shape: FieldShape
    let reader: FieldReader<Value>
    let write: @Sendable (Root, inout JSONWriter) -> Void
}

/// Reads one member. It is apart from the rest of a field since it is what reading copies.
struct FieldReader<Value: Sendable>: Sendable {
    let name: String
    /// Returns nothing only after it has noted a fault.
    let read: @Sendable (JSON, inout FaultCollector) -> Value?
    /// What stands in where the member is left out; none where it must be there.
    let standIn: Value?

    /// The value of the member, or what stands in for it.
    func value(of object: JSONObject, _ faults: inout FaultCollector) throws(InvalidField) -> Value {
        let value: Value?
        if let json = object[name] {
            let first = faults.count
            value = read(json, &faults)
            faults.nest(from: first, under: name)
        } else {
            value = standIn
            if standIn == nil { faults.note("is required", at: FaultCollector.pointer(name)) }
        }
        guard let value else { throw InvalidField() }
        return value
    }

    /// Notes all that is wrong with the member.
    func check(_ object: JSONObject, _ faults: inout FaultCollector) {
        _ = try? value(of: object, &faults)
    }
}

/// A member is not what its schema says; what is wrong with it has been noted.
struct InvalidField: Error {}

/// A member that must be there.
package func field<Root: Sendable, Value: Sendable>(
    _ name: String, _ get: @escaping @Sendable (Root) -> Value, _ schema: Schema<Value>
) -> Field<Root, Value> {
    field(name, get, schema, standIn: nil)
}

/// A member that may be left out, and then is `default`; it is always written.
package func field<Root: Sendable, Value: Sendable>(
    _ name: String, _ get: @escaping @Sendable (Root) -> Value, _ schema: Schema<Value>, default standIn: Value
) -> Field<Root, Value> {
    field(name, get, schema, standIn: .some(standIn))
}

/// A member that may be left out, and then is none; where it is none it is not written.
package func optionalField<Root: Sendable, Value: Sendable>(
    _ name: String, _ get: @escaping @Sendable (Root) -> Value?, _ schema: Schema<Value>
) -> Field<Root, Value?> {
    let (read, write, encodedName) = (schema.read, schema.write, encoded(name))
    return Field(
        shape: FieldShape(name: name, shape: schema.shape, isRequired: false),
        reader: FieldReader(
            name: name, read: { json, faults in read(json, &faults).map { .some($0) } }, standIn: .some(nil)),
        write: { root, writer in
            guard let value = get(root) else { return }
            writer.encodedName(encodedName)
            write(value, &writer)
        })
}

private func field<Root: Sendable, Value: Sendable>(
    _ name: String, _ get: @escaping @Sendable (Root) -> Value, _ schema: Schema<Value>, standIn: Value?
) -> Field<Root, Value> {
    let (write, encodedName) = (schema.write, encoded(name))
    let defaultValue = standIn.flatMap { try? JSON.parse(schema.encode($0), limits: .trusted) }
    return Field(
        shape: FieldShape(
            name: name, shape: schema.shape, isRequired: standIn == nil, defaultValue: defaultValue),
        reader: FieldReader(name: name, read: schema.read, standIn: standIn),
        write: { root, writer in
            writer.encodedName(encodedName)
            write(get(root), &writer)
        })
}

/// A name quoted, escaped and with its colon.
private func encoded(_ name: String) -> [UInt8] {
    var bytes: [UInt8] = []
    name.appendQuoted(to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    return bytes
}
