extension AsyncAPI {
    static let requestHeaders = schema([
        member(Header.subject, StringShape.uuidText, "The account that the sender acts for, where there is one."),
        member(Header.subjectName, Schema.username.shape, "Its username; must be there where there is a subject."),
        member(
            Header.deadline, integer,
            "Milliseconds since the epoch: after it nobody waits, and all but commands are dropped."),
        member(Header.requestId, text(0...128), "What every log line about the request bears."),
        member(Header.traceparent, text(0...512), "W3C trace context."),
        member(Header.tracestate, text(0...512), "W3C trace context."),
    ])

    static let replyHeaders = schema([
        member(Header.status, .integer(minimum: 200, maximum: 599), "The HTTP status.", isRequired: true),
        member(Header.location, text(1...1024), "Where what was made can be read over HTTP."),
        member(Header.etag, text(1...256), "The version of what the body shows."),
        member(Header.retryAfter, integer, "Seconds after which to try again."),
    ])

    static let requestProperties = schema([
        member("type", text(1...255), "The message type, and the routing key.", isRequired: true),
        member(
            "message_id", StringShape.uuidText, "What makes a command happen once; a command without it is refused."),
        member("correlation_id", text(0...255), "Anything; the reply bears it."),
        member("reply_to", text(0...255), "The key that the sender has bound on \(Exchange.replies)."),
        member("content_type", text(0...255), "As the message says."),
        member("delivery_mode", .integer(minimum: 1, maximum: 2), "2 for commands, 1 for everything else."),
        member("expiration", text(0...20), "For all but commands: the milliseconds left, in digits."),
        member("timestamp", integer, "Seconds since the epoch."),
        member("app_id", text(0...255), "What program."),
        member(
            "user_id", text(1...255), "The broker user that the sender has logged in as; the broker refuses any other.",
            isRequired: true),
    ])

    static let replyProperties = schema([
        member("type", text(1...255), "The request's type and `.reply`.", isRequired: true),
        member("correlation_id", text(0...255), "That of the request."),
        member(
            "content_type", text(0...255), "\(ContentType.json), or \(ContentType.problem) where something is wrong."),
        member("user_id", text(1...255), "The service.", isRequired: true),
    ])

    static let eventProperties = schema([
        member("type", text(1...255), "The event type, and the routing key.", isRequired: true),
        member("message_id", StringShape.uuidText, "The event's id.", isRequired: true),
        member("content_type", text(0...255), ContentType.cloudEvent, isRequired: true),
        member("delivery_mode", .integer(minimum: 2, maximum: 2), "Persistent."),
        member("user_id", text(1...255), "The service.", isRequired: true),
        member("app_id", text(1...255), "The service."),
    ])

    private static let integer = Shape.integer(minimum: 0, maximum: nil)

    private static func text(_ length: ClosedRange<Int>) -> Shape {
        .string(StringShape(minimumLength: length.lowerBound, maximumLength: length.upperBound))
    }

    private static func member(
        _ name: String, _ shape: Shape, _ text: String, isRequired: Bool = false
    ) -> FieldShape {
        FieldShape(name: name, shape: .described(shape, text), isRequired: isRequired)
    }

    private static func schema(_ fields: [FieldShape]) -> JSON {
        .object { schema in
            guard
                case .object(let object) = ObjectShape(name: "", fields: fields, allowsUnknownFields: true).jsonSchema()
            else { return }
            schema.members = object.members.filter { $0.name != "title" }
        }
    }
}

extension StringShape {
    fileprivate static let uuidText = Shape.string(StringShape(patterns: [uuid], format: "uuid"))
}
