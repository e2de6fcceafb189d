/// The treatment of members for which the schema has no field.
package enum UnknownFields: Sendable, Hashable {
    /// Each unknown member is a fault, so that clients notice misspelt names.
    case refused
    /// Unknown members are ignored, because a later version of the sender may add members.
    case ignored
}

extension Schema {
    /// An object with these fields.
    ///
    /// - Parameters:
    ///   - name: the name of the type in the documentation.
    ///   - unknownFields: the treatment of members that are not among the fields.
    ///   - fields: the fields, in the order in which they are written.
    ///   - make: creates the value from the values of the fields, in their order.
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

/// Decodes the fields of an object.
private struct ObjectReader<Value: Sendable, each Part: Sendable>: Sendable {
    let names: [String]
    let allowsUnknown: Bool
    let fields: (repeat FieldReader<each Part>)
    let make: @Sendable (repeat each Part) -> Value

    func read(_ json: JSON, _ faults: inout FaultCollector) -> Value? {
        guard case .object(let object) = json else {
            faults.add("must be an object")
            return nil
        }
        if !allowsUnknown { refuseUnknown(object, &faults) }
        let first = faults.count
        do throws(InvalidField) {
            return make(repeat try (each fields).value(of: object, &faults))
        } catch {
            // The first invalid field ended the decoding. Check every field again, to report all faults.
            faults.removeAll(from: first)
            repeat (each fields).check(object, &faults)
            return nil
        }
    }

    private func refuseUnknown(_ object: JSONObject, _ faults: inout FaultCollector) {
        for member in object.members where !names.contains(where: { $0.hasSameBytes(as: member.name) }) {
            faults.add("is not a known field", at: FaultCollector.pointer(member.name))
        }
    }
}
