extension Problem {
    /// The shape of the body. Codes are added over time, so the schema names them as examples and not as an
    /// enumeration.
    package static let shape = ObjectShape(
        name: "Problem",
        fields: [
            member("type", .string(StringShape(format: "uri")), "`urn:warren:problem:`, followed by the code."),
            member("title", .string(StringShape()), "The kind of problem, in words."),
            member("status", .integer(minimum: 400, maximum: 599), "The HTTP status."),
            member("detail", .string(StringShape()), "This occurrence of the problem, in words."),
            member(
                "code", .string(StringShape(patterns: [StringShape.whole("[a-z]+(-[a-z]+)*")])),
                "The kind of problem, for programs: \(ProblemCode.all.map(\.code).joined(separator: ", "))."),
            member(
                "traceId", .nullable(.string(StringShape(patterns: [StringShape.whole("[0-9a-f]{32}")]))),
                "The W3C trace id of the request, for the operator's logs."),
            FieldShape(
                name: "errors", shape: .array(ArrayShape(items: .object(fault), minimumCount: 1, maximumCount: 50)),
                isRequired: false),
        ], allowsUnknownFields: true)

    private static let fault = ObjectShape(
        name: "Fault",
        fields: [
            member("pointer", .string(StringShape()), "A JSON pointer (RFC 6901) to the faulty value in the body."),
            member("message", .string(StringShape()), "The rule that the value violates."),
        ], allowsUnknownFields: true)

    private static func member(_ name: String, _ shape: Shape, _ text: String) -> FieldShape {
        FieldShape(name: name, shape: .described(shape, text), isRequired: true)
    }
}
