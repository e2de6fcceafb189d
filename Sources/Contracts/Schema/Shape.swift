/// What a schema accepts, as data: enough to say it in JSON Schema 2020-12.
package indirect enum Shape: Sendable, Hashable {
    case any
    case boolean
    case number
    case string(StringShape)
    case integer(minimum: Int64?, maximum: Int64?)
    case array(ArrayShape)
    case object(ObjectShape)
    /// The shape, or `null`.
    case nullable(Shape)
    case described(Shape, String)
}

/// What a string may be.
package struct StringShape: Sendable, Hashable {
    /// In Unicode code points, as JSON Schema counts; so is the maximum.
    package var minimumLength: Int?
    package var maximumLength: Int?
    /// Each must match somewhere in the string (ECMA-262, with the flag `u`).
    package var patterns: [String] = []
    /// One of JSON Schema's: `uuid`, `date-time`, `email`, `uri`.
    package var format: String?
    /// The only values, where they are few.
    package var values: [String] = []
    /// What JSON Schema cannot say, in words.
    package var rules: [String] = []
}

/// What an array may be.
package struct ArrayShape: Sendable, Hashable {
    /// What each element is.
    package var items: Shape
    package var minimumCount: Int?
    package var maximumCount: Int?
    /// Whether no element may come twice.
    package var hasUniqueItems = false
    /// What JSON Schema cannot say, in words.
    package var rules: [String] = []
}

/// What an object may be.
package struct ObjectShape: Sendable, Hashable {
    /// Of the type, for the documentation.
    package var name: String
    package var fields: [FieldShape]
    /// Whether members that no field names are taken, and ignored.
    package var allowsUnknownFields: Bool
    /// The names of fields of which one excludes the other.
    package var exclusions: [[String]] = []
    /// Rules between fields that JSON Schema cannot say, in words.
    package var rules: [String] = []
}

/// What one member of an object may be.
package struct FieldShape: Sendable, Hashable {
    package var name: String
    package var shape: Shape
    /// Whether it must be there.
    package var isRequired: Bool
    /// What stands in where the member is left out.
    package var defaultValue: JSON?
}
