extension Schema {
    /// The same, with words for those who read the documentation.
    package func described(_ text: String) -> Schema {
        Schema(shape: .described(shape, text), read: read, write: write)
    }

    /// The same, where a condition holds that no shape can say.
    ///
    /// - Parameters:
    ///   - message: what a client is told, after the name of the place: "must …".
    ///   - pointer: below this value, the place to blame.
    package func refined(
        _ message: String, at pointer: String = "", _ holds: @escaping @Sendable (Value) -> Bool
    ) -> Schema {
        reshaped(shape.adding(rule: message), message, at: pointer, holds)
    }

    /// The same, where two fields of an object may not both be there.
    ///
    /// - Parameters:
    ///   - first: the name of one.
    ///   - second: the name of the other, which is to blame.
    ///   - holds: whether it is so.
    package func excluding(
        _ first: String, _ second: String, _ holds: @escaping @Sendable (Value) -> Bool
    ) -> Schema {
        reshaped(
            shape.adding(exclusion: [first, second]), "must not come together with a \(first)",
            at: FaultCollector.pointer(second), holds)
    }

    /// The same, with a rule in words that is checked elsewhere.
    package func documented(rule: String) -> Schema {
        Schema(shape: shape.adding(rule: rule), read: read, write: write)
    }

    func reshaped(
        _ shape: Shape, _ message: String, at pointer: String = "", _ holds: @escaping @Sendable (Value) -> Bool
    ) -> Schema {
        let read = read
        return Schema(
            shape: shape,
            read: { json, faults in
                guard let value = read(json, &faults) else { return nil }
                if holds(value) { return value }
                faults.note(message, at: pointer)
                return nil
            }, write: write)
    }

    /// The same on the wire, another type in the program.
    ///
    /// - Parameters:
    ///   - message: what a client is told where `to` returns nothing.
    package func mapped<Other: Sendable>(
        _ message: String, to: @escaping @Sendable (Value) -> Other?, from: @escaping @Sendable (Other) -> Value
    ) -> Schema<Other> {
        let (read, write) = (read, write)
        return Schema<Other>(
            shape: shape,
            read: { json, faults in
                guard let value = read(json, &faults) else { return nil }
                if let other = to(value) { return other }
                faults.note(message)
                return nil
            }, write: { write(from($0), &$1) })
    }

    /// The value or `null`, which is none.
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
        case .any, .boolean, .number, .integer: return .described(self, rule)
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

    /// The shape with its strings changed.
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
