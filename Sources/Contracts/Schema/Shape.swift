/// The JSON that a schema accepts, in terms of JSON Schema 2020-12.
package indirect enum Shape: Sendable, Hashable {
    case any
    case boolean
    case number
    case string(StringShape)
    case integer(minimum: Int64?, maximum: Int64?)
    case array(ArrayShape)
    case object(ObjectShape)
    /// At least one of several shapes.
    case anyOf([Shape])
    /// A shape or `null`.
    case nullable(Shape)
    /// A shape with a description.
    case described(Shape, String)
}

/// The strings that a schema accepts.
package struct StringShape: Sendable, Hashable {
    /// The minimum length in Unicode code points.
    package var minimumLength: Int?
    /// The maximum length in Unicode code points.
    package var maximumLength: Int?
    /// Regular expressions (ECMA-262 with the flag `u`). Each must match the string or a part of it.
    package var patterns: [String] = []
    /// A format of JSON Schema: `uuid`, `date-time`, `email` or `uri`.
    package var format: String?
    /// The allowed values; empty if any value is allowed.
    package var values: [String] = []
    /// Rules that JSON Schema cannot express, in words.
    package var rules: [String] = []
}

/// The arrays that a schema accepts.
package struct ArrayShape: Sendable, Hashable {
    /// The shape of each element.
    package var items: Shape
    package var minimumCount: Int?
    package var maximumCount: Int?
    /// Whether equal elements are refused.
    package var hasUniqueItems = false
    /// Rules that JSON Schema cannot express, in words.
    package var rules: [String] = []
}

/// The objects that a schema accepts.
package struct ObjectShape: Sendable, Hashable {
    /// The name of the type in the documentation.
    package var name: String
    package var fields: [FieldShape]
    /// Whether members without a field are ignored; otherwise they are refused.
    package var allowsUnknownFields: Bool
    /// Pairs of fields that must not both be present.
    package var exclusions: [[String]] = []
    /// Rules between fields that JSON Schema cannot express, in words.
    package var rules: [String] = []
}

/// A member of an object.
package struct FieldShape: Sendable, Hashable {
    package var name: String
    package var shape: Shape
    /// Whether the member is required.
    package var isRequired: Bool
    /// The value of an absent member.
    package var defaultValue: JSON?
}
