extension AsyncAPI {
    static let requestHeaders = schema([
        member(Header.subject, StringShape.uuidText, "The id of the account on whose behalf the request is sent."),
        member(
            Header.subjectName, Schema.username.shape,
            "The username of that account. It is required if subject is set."),
        member(
            Header.deadline, integer,
            "The time at which the sender stops waiting, in milliseconds since the Unix epoch. After that time, a "
                + "worker handles only commands."),
        member(Header.requestId, text(0...128), "The id that every log line about the request contains."),
        member(Header.traceparent, text(0...512), "W3C trace context."),
        member(Header.tracestate, text(0...512), "W3C trace context."),
    ])

    /// The further headers of an upload.
    static let uploadHeaders = schema([
        FieldShape(name: Header.description, shape: MediaDescription.shape, isRequired: false)
    ])

    static let replyHeaders = schema([
        member(Header.status, .integer(minimum: 200, maximum: 599), "The HTTP status.", isRequired: true),
        member(Header.location, text(1...1024), "The HTTP path of the created resource."),
        member(Header.etag, text(1...256), "The entity tag of the body (RFC 9110, section 8.8.3)."),
        member(Header.retryAfter, integer, "The seconds to wait before a retry."),
    ])

    static let requestProperties = schema([
        member("type", text(1...255), "The message type, and the routing key.", isRequired: true),
        member(
            "message_id", StringShape.uuidText,
            "A command is carried out once for each message_id. A command without a message_id is refused."),
        member("correlation_id", text(0...255), "Any string; the reply copies it."),
        member("reply_to", text(0...255), "The key with which the sender has bound its queue to \(Exchange.replies)."),
        member("content_type", text(0...255), "The content type of the message."),
        member(
            "delivery_mode", .integer(minimum: 1, maximum: 2),
            "2 (persistent) for commands, 1 (transient) for all other requests."),
        member(
            "expiration", text(0...20), "The milliseconds until the deadline, in digits. A command has no expiration."),
        member("timestamp", integer, "Seconds since the Unix epoch."),
        member("app_id", text(0...255), "The name of the sending program."),
        member(
            "user_id", text(1...255), "The broker user of the sender's connection. The broker refuses any other name.",
            isRequired: true),
    ])

    static let replyProperties = schema([
        member("type", text(1...255), "The type of the request, followed by `.reply`.", isRequired: true),
        member("correlation_id", text(0...255), "Copied from the request."),
        member(
            "content_type", text(0...255), "\(ContentType.json), or \(ContentType.problem) for a problem."),
        member("user_id", text(1...255), "The name of the service.", isRequired: true),
    ])

    static let eventProperties = schema([
        member("type", text(1...255), "The event type, and the routing key.", isRequired: true),
        member("message_id", StringShape.uuidText, "The event's id.", isRequired: true),
        member("content_type", text(0...255), ContentType.cloudEvent, isRequired: true),
        member("delivery_mode", .integer(minimum: 2, maximum: 2), "Persistent."),
        member("user_id", text(1...255), "The name of the service.", isRequired: true),
        member("app_id", text(1...255), "The name of the service."),
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
            // The title is the name of the object, which is empty here.
            schema.members = object.members.filter { $0.name != "title" }
        }
    }
}

extension StringShape {
    fileprivate static let uuidText = Shape.string(StringShape(patterns: [uuid], format: "uuid"))
}
