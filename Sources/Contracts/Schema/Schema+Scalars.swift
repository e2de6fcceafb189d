extension Schema where Value == Int {
    /// A whole number in that range; `10.0` is one (JSON Schema, section 4.2.3 of its core).
    package static func integer(_ range: ClosedRange<Int>) -> Schema {
        integer(minimum: range.lowerBound, maximum: range.upperBound)
    }

    /// A whole number from that one on.
    package static func integer(_ range: PartialRangeFrom<Int>) -> Schema {
        integer(minimum: range.lowerBound, maximum: nil)
    }

    private static func integer(minimum: Int, maximum: Int?) -> Schema {
        Schema(
            shape: .integer(minimum: Int64(minimum), maximum: Int64(maximum ?? .max)),
            read: { json, faults in
                guard let value = json.wholeNumber else {
                    faults.note("must be a whole number")
                    return nil
                }
                if value >= minimum, value <= maximum ?? .max { return value }
                faults.note(maximum.map { "must be from \(minimum) to \($0)" } ?? "must be at least \(minimum)")
                return nil
            }, write: { $1.integer($0) })
    }
}

extension Schema where Value == Bool {
    /// `true` or `false`.
    package static var bool: Schema {
        Schema(
            shape: .boolean,
            read: { json, faults in
                if case .bool(let value) = json { return value }
                faults.note("must be true or false")
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
                    faults.note("must be a number")
                    return nil
                }
            }, write: { $1.double($0) })
    }
}

extension Schema where Value == JSON {
    /// Any JSON at all.
    package static var any: Schema {
        Schema(shape: .any, read: { json, _ in json }, write: { $0.write(to: &$1) })
    }
}

extension Schema where Value == ConstantString {
    /// That string and no other.
    package static func constant(_ text: String) -> Schema {
        Schema(
            shape: .string(StringShape(values: [text])),
            read: { json, faults in
                if case .string(let found) = json, found.hasSameBytes(as: text) { return ConstantString() }
                faults.note("must be \(text)")
                return nil
            }, write: { $1.string(text) })
    }
}

/// What reading a constant tells: that it was there.
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
