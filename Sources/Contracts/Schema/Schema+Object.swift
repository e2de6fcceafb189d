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
        var writers: [@Sendable (Value, inout JSONWriter) -> Void] = []
        repeat shapes.append((each fields).shape)
        repeat writers.append((each fields).write)
        let allowsUnknown = unknownFields == .ignored
        let reader = ObjectReader(
            names: shapes.map(\.name), allowsUnknown: allowsUnknown, fields: (repeat (each fields).reader), make: make)
        return Schema(
            shape: .object(ObjectShape(name: name, fields: shapes, allowsUnknownFields: allowsUnknown)),
            read: { json, faults in reader.read(json, &faults) },
            write: { [writers] value, writer in
                writer.beginObject()
                for write in writers { write(value, &writer) }
                writer.endObject()
            })
    }
}

/// Reads the fields of an object, each of a type of its own.
private struct ObjectReader<Value: Sendable, each Part: Sendable>: Sendable {
    let names: [String]
    let allowsUnknown: Bool
    let fields: (repeat FieldReader<each Part>)
    let make: @Sendable (repeat each Part) -> Value

    func read(_ json: JSON, _ faults: inout FaultCollector) -> Value? {
        guard case .object(let object) = json else {
            faults.note("must be an object")
            return nil
        }
        if !allowsUnknown { refuseUnknown(object, &faults) }
        let first = faults.count
        do throws(InvalidField) {
            return make(repeat try (each fields).value(of: object, &faults))
        } catch {
            // The first fault ended that reading: begin again, to find them all.
            faults.forget(from: first)
            repeat (each fields).check(object, &faults)
            return nil
        }
    }

    private func refuseUnknown(_ object: JSONObject, _ faults: inout FaultCollector) {
        for member in object.members where !names.contains(where: { $0.hasSameBytes(as: member.name) }) {
            faults.note("is not a known field", at: FaultCollector.pointer(member.name))
        }
    }
}
