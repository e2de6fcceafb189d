/// What becomes of members that no field names.
package enum UnknownFields: Sendable, Hashable {
    /// Each is a fault: a client's typing error does not pass unseen.
    case refused
    /// They are passed over: a later version of the sender may have more to say.
    case ignored
}

extension Schema {
    /// An object of these fields.
    ///
    /// - Parameters:
    ///   - name: of the type, for the documentation.
    ///   - make: puts the value together from the fields' values, in their order.
    package static func object<each Part: Sendable>(
        _ name: String, unknownFields: UnknownFields = .refused, _ fields: repeat Field<Value, each Part>,
        make: @escaping @Sendable (repeat each Part) -> Value
    ) -> Schema {
        var shapes: [FieldShape] = []
        repeat shapes.append((each fields).shape)
        let allowsUnknown = unknownFields == .ignored
        let object = ObjectFields(
            names: shapes.map(\.name), allowsUnknown: allowsUnknown, fields: (repeat each fields), make: make)
        return Schema(
            shape: .object(ObjectShape(name: name, fields: shapes, allowsUnknownFields: allowsUnknown)),
            read: { json, faults in object.read(json, &faults) },
            write: { value, writer in
                writer.beginObject()
                object.write(value, &writer)
                writer.endObject()
            })
    }
}

/// The fields of an object, each of a type of its own.
private struct ObjectFields<Value: Sendable, each Part: Sendable>: Sendable {
    let names: [String]
    let allowsUnknown: Bool
    let fields: (repeat Field<Value, each Part>)
    let make: @Sendable (repeat each Part) -> Value

    func read(_ json: JSON, _ faults: inout FaultCollector) -> Value? {
        guard case .object(let object) = json else {
            faults.note("must be an object")
            return nil
        }
        let parts = (repeat (each fields).read(object[(each fields).shape.name], &faults))
        if !allowsUnknown { refuseUnknown(object, &faults) }
        do {
            return make(repeat try Self.unwrap(each parts))
        } catch {
            return nil
        }
    }

    func write(_ value: Value, _ writer: inout JSONWriter) {
        repeat (each fields).write(value, &writer)
    }

    private func refuseUnknown(_ object: JSONObject, _ faults: inout FaultCollector) {
        for member in object.members where !names.contains(where: { $0.hasSameBytes(as: member.name) }) {
            faults.note("is not a known field", at: FaultCollector.pointer(member.name))
        }
    }

    private struct Missing: Error {}

    private static func unwrap<Wrapped>(_ value: Wrapped?) throws(Missing) -> Wrapped {
        guard let value else { throw Missing() }
        return value
    }
}
