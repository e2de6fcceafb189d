extension Problem {
    /// The shape of its body. Codes are added over time, so that they are examples and no closed list.
    package static let shape = ObjectShape(
        name: "Problem",
        fields: [
            member("type", .string(StringShape(format: "uri")), "`urn:warren:problem:` and the code."),
            member("title", .string(StringShape()), "What kind of problem it is."),
            member("status", .integer(minimum: 400, maximum: 599), "The HTTP status."),
            member("detail", .string(StringShape()), "This occurrence, in a sentence."),
            member(
                "code", .string(StringShape(patterns: [StringShape.whole("[a-z]+(-[a-z]+)*")])),
                "What a program goes by: \(ProblemCode.all.map(\.code).joined(separator: ", "))."),
            member(
                "traceId", .nullable(.string(StringShape(patterns: [StringShape.whole("[0-9a-f]{32}")]))),
                "Of the trace that the request belongs to, for the operator."),
            FieldShape(
                name: "errors", shape: .array(ArrayShape(items: .object(fault), minimumCount: 1, maximumCount: 50)),
                isRequired: false),
        ], allowsUnknownFields: true)

    private static let fault = ObjectShape(
        name: "Fault",
        fields: [
            member("pointer", .string(StringShape()), "Where, as a JSON pointer (RFC 6901) into the body."),
            member("message", .string(StringShape()), "What is wrong there."),
        ], allowsUnknownFields: true)

    private static func member(_ name: String, _ shape: Shape, _ text: String) -> FieldShape {
        FieldShape(name: name, shape: .described(shape, text), isRequired: true)
    }
}
