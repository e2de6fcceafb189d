extension Schema where Value == Int {
    /// An integer in a range. `10.0` is an integer (JSON Schema 2020-12 core, section 4.2.3).
    package static func integer(_ range: ClosedRange<Int>) -> Schema {
        integer(minimum: range.lowerBound, maximum: range.upperBound)
    }

    /// An integer with a lower bound.
    package static func integer(_ range: PartialRangeFrom<Int>) -> Schema {
        integer(minimum: range.lowerBound, maximum: nil)
    }

    private static func integer(minimum: Int, maximum: Int?) -> Schema {
        Schema(
            shape: .integer(minimum: Int64(minimum), maximum: Int64(maximum ?? .max)),
            read: { json, faults in
                guard let value = json.wholeNumber else {
                    faults.add("must be an integer")
                    return nil
                }
                if value >= minimum, value <= maximum ?? .max { return value }
                faults.add(maximum.map { "must be from \(minimum) to \($0)" } ?? "must be at least \(minimum)")
                return nil
            }, write: { $1.integer($0) })
    }
}

extension Schema where Value == Bool {
    /// `true` or `false`.
    package static var boolean: Schema {
        Schema(
            shape: .boolean,
            read: { json, faults in
                if case .bool(let value) = json { return value }
                faults.add("must be true or false")
                return nil
            }, write: { $1.bool($0) })
    }
}

extension Schema where Value == Double {
    /// Any number.
    package static var number: Schema {
        Schema(
            shape: .number,
            read: { json, faults in
                switch json {
                case .double(let value): return value
                case .integer(let value): return Double(value)
                default:
                    faults.add("must be a number")
                    return nil
                }
            }, write: { $1.double($0) })
    }
}

extension Schema where Value == JSON {
    /// Any JSON value.
    package static var any: Schema {
        Schema(shape: .any, read: { json, _ in json }, write: { $0.write(to: &$1) })
    }
}

extension Schema where Value == ConstantString {
    /// Exactly one string.
    package static func constant(_ text: String) -> Schema {
        Schema(
            shape: .string(StringShape(values: [text])),
            read: { json, faults in
                if case .string(let found) = json, found.hasSameBytes(as: text) { return ConstantString() }
                faults.add("must be \(text)")
                return nil
            }, write: { $1.string(text) })
    }
}

/// The value of ``Schema/constant(_:)``, which carries no information.
package struct ConstantString: Sendable, Hashable {
    package init() {}
}

extension JSON {
    fileprivate var wholeNumber: Int? {
        switch self {
        case .integer(let value): Int(exactly: value)
        case .double(let value): Int(exactly: value)
        default: nil
        }
    }
}
