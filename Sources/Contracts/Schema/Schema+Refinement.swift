extension Schema {
    /// Adds a description for the documentation.
    package func described(_ text: String) -> Schema {
        Schema(shape: .described(shape, text), read: read, write: write)
    }

    /// Adds a condition that JSON Schema cannot express. The schema document contains it in words.
    ///
    /// - Parameters:
    ///   - message: the message of the fault: "must …".
    ///   - pointer: the pointer of the fault, relative to this value.
    ///   - holds: returns whether the condition holds.
    package func refined(
        _ message: String, at pointer: String = "", _ holds: @escaping @Sendable (Value) -> Bool
    ) -> Schema {
        withCondition(shape.adding(rule: message), message, at: pointer, holds)
    }

    /// Adds the condition that two fields of an object are not both present.
    ///
    /// - Parameters:
    ///   - first: the name of one field.
    ///   - second: the name of the other field, at which the fault is reported.
    ///   - holds: returns whether the condition holds.
    package func excluding(
        _ first: String, _ second: String, _ holds: @escaping @Sendable (Value) -> Bool
    ) -> Schema {
        withCondition(
            shape.adding(exclusion: [first, second]), "must not be combined with \(first)",
            at: FaultCollector.pointer(second), holds)
    }

    /// Documents a rule that another part of the schema checks.
    package func documented(rule: String) -> Schema {
        Schema(shape: shape.adding(rule: rule), read: read, write: write)
    }

    /// Returns a schema with another shape and with a condition that this shape documents.
    func withCondition(
        _ shape: Shape, _ message: String, at pointer: String = "", _ holds: @escaping @Sendable (Value) -> Bool
    ) -> Schema {
        let read = read
        return Schema(
            shape: shape,
            read: { json, faults in
                guard let value = read(json, &faults) else { return nil }
                if holds(value) { return value }
                faults.add(message, at: pointer)
                return nil
            }, write: write)
    }

    /// A value that one of two schemas describes. The second one decodes only what the first one refuses.
    ///
    /// - Parameter writesFirst: returns whether the first schema encodes a value.
    static func either(
        _ first: Schema, _ second: Schema, writesFirst: @escaping @Sendable (Value) -> Bool
    ) -> Schema {
        Schema(
            shape: .anyOf([first.shape, second.shape]),
            read: { json, faults in
                var ignored = FaultCollector()
                if let value = first.read(json, &ignored), ignored.count == 0 { return value }
                return second.read(json, &faults)
            }, write: { value, writer in (writesFirst(value) ? first : second).write(value, &writer) })
    }

    /// A schema that also accepts `null` and decodes it as `nil`.
    package var nullable: Schema<Value?> {
        let (read, write) = (read, write)
        return Schema<Value?>(
            shape: .nullable(shape),
            read: { json, faults in
                if json == .null { return .some(nil) }
                return read(json, &faults).map { .some($0) }
            },
            write: { value, writer in
                if let value { write(value, &writer) } else { writer.null() }
            })
    }
}

extension Shape {
    fileprivate func adding(rule: String) -> Shape {
        switch self {
        case .object(var object):
            object.rules.append(rule)
            return .object(object)
        case .array(var array):
            array.rules.append(rule)
            return .array(array)
        case .string(var string):
            string.rules.append(rule)
            return .string(string)
        case .nullable(let shape): return .nullable(shape.adding(rule: rule))
        case .described(let shape, let text): return .described(shape.adding(rule: rule), text)
        case .any, .boolean, .number, .integer, .anyOf: return .described(self, rule)
        }
    }

    fileprivate func adding(exclusion: [String]) -> Shape {
        switch self {
        case .object(var object):
            object.exclusions.append(exclusion)
            return .object(object)
        case .described(let shape, let text): return .described(shape.adding(exclusion: exclusion), text)
        default: return self
        }
    }

    /// Returns the shape with a change to its ``StringShape``. A shape without a string is returned unchanged.
    func changingString(_ change: (inout StringShape) -> Void) -> Shape {
        switch self {
        case .string(var string):
            change(&string)
            return .string(string)
        case .nullable(let shape): return .nullable(shape.changingString(change))
        case .described(let shape, let text): return .described(shape.changingString(change), text)
        default: return self
        }
    }
}
