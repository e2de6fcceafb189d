extension Problem {
    /// The shape of the body. The schema lists the codes in a description instead of an enumeration, because later
    /// versions can add codes.
    package static let shape = ObjectShape(
        name: "Problem",
        fields: [
            member("type", .string(StringShape(format: "uri")), "`urn:warren:problem:`, followed by the code."),
            member("title", .string(StringShape()), "The kind of problem, in words."),
            member("status", .integer(minimum: 400, maximum: 599), "The HTTP status."),
            member("detail", .string(StringShape()), "An explanation of this occurrence of the problem."),
            member(
                "code", .string(StringShape(patterns: [StringShape.whole("[a-z]+(-[a-z]+)*")])),
                "The kind of problem, for programs: \(ProblemCode.all.map(\.code).joined(separator: ", "))."),
            member(
                "traceId", .nullable(.string(StringShape(patterns: [StringShape.whole("[0-9a-f]{32}")]))),
                "The W3C trace id of the request; `null` if the request has none."),
            FieldShape(
                name: "errors", shape: .array(ArrayShape(items: .object(fault), minimumCount: 1, maximumCount: 50)),
                isRequired: false),
        ], allowsUnknownFields: true)

    private static let fault = ObjectShape(
        name: "Fault",
        fields: [
            member(
                "pointer", .string(StringShape()),
                "A JSON pointer (RFC 6901) to the faulty value in the body of the request. For a parameter of the URL "
                    + "or a file, it is `/` and the name."),
            member("message", .string(StringShape()), "The rule that the value violates."),
        ], allowsUnknownFields: true)

    private static func member(_ name: String, _ shape: Shape, _ text: String) -> FieldShape {
        FieldShape(name: name, shape: .described(shape, text), isRequired: true)
    }
}
