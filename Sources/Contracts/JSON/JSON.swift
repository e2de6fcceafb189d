/// A JSON value (RFC 8259).
///
/// A number without a fraction and an exponent is an `integer` if it fits into `Int64`. Any other number is a `double`.
package enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([JSON])
    case object(JSONObject)
}

extension JSON {
    /// The value of a member; `nil` if this is not an object or has no such member.
    package subscript(name: String) -> JSON? {
        if case .object(let object) = self { object[name] } else { nil }
    }

    /// The string; `nil` if this is another type.
    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The integer; `nil` if this is another type.
    package var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The elements; `nil` if this is not an array.
    package var array: [JSON]? {
        if case .array(let value) = self { value } else { nil }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
}

extension JSON: ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral {
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(nilLiteral: ()) { self = .null }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
}

extension JSON: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(JSONObject(elements.map { JSONObject.Member(name: $0.0, value: $0.1) }))
    }
}

extension JSON {
    /// Returns the value as UTF-8 without white space.
    package func serialized() -> [UInt8] {
        JSONWriter.bytes { write(to: &$0) }
    }

    /// Appends the value to a writer.
    package func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .integer(let value): writer.integer(value)
        case .double(let value): writer.double(value)
        case .string(let value): writer.string(value)
        case .array(let elements): writer.array(of: elements) { $1.write(to: &$0) }
        case .object(let object):
            writer.beginObject()
            for member in object.members {
                writer.name(member.name)
                member.value.write(to: &writer)
            }
            writer.endObject()
        }
    }
}
