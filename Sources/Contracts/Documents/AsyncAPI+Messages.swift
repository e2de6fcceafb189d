extension AsyncAPI {
    /// Every message: requests, successful replies, the problem, and events.
    static let messages: JSON = .object { messages in
        for message in Messages.all {
            messages.add(message.name, request(message))
            messages.add(message.replyName, reply(message))
        }
        messages.add("problem", problem)
        for event in EventDescriptor.all { messages.add(event.type, published(event)) }
    }

    private static func request(_ message: MessageDescriptor) -> JSON {
        .object { request in
            request.add("name", .string(message.name))
            request.add("title", .string(message.name))
            request.add("summary", .string(message.summary))
            request.add("description", .string(description(of: message)))
            request.add("contentType", .string(message.request == nil ? "image/*" : ContentType.json))
            request.add("headers", reference("components", "schemas", "RequestHeaders"))
            request.add("payload", message.request == nil ? file : payload(message.name))
            request.add("examples", examples(message.requestExample))
            finish(&request, message.name, "RequestProperties")
        }
    }

    private static func description(of message: MessageDescriptor) -> String {
        let travel =
            switch message.kind {
            case .command: "A command: persistent, and carried out once for each message_id, which must be a UUID."
            case .query: "A query: transient, with an expiration."
            case .credential: "A credential: transient, with an expiration. The broker never stores it."
            }
        let caller = message.needsSubject ? " Requires the header subject." : ""
        let body = message.request == EmptyBody.schema.shape ? " An empty body is treated as an empty object." : ""
        let codes = message.problems.map { "`\($0.code)` (\($0.status))" }.joined(separator: ", ")
        return travel + caller + body + (codes.isEmpty ? "" : " Problems of this type: \(codes).")
    }

    private static let file: JSON = [
        "type": "string", "format": "binary",
        "description": .string(
            "A JPEG, PNG, GIF or WebP file of at most \(Messages.Media.uploadLimit) bytes. Its bytes decide the type."
        ),
    ]

    private static func reply(_ message: MessageDescriptor) -> JSON {
        .object { reply in
            reply.add("name", .string(message.replyName))
            reply.add("title", .string("\(message.replyName), status \(message.status)"))
            reply.add("contentType", message.reply.map { _ in .string(ContentType.json) })
            reply.add("headers", reference("components", "schemas", "ReplyHeaders"))
            reply.add("payload", message.reply.map { _ in payload(message.replyName) })
            reply.add("examples", examples(message.replyExample))
            finish(&reply, message.replyName, "ReplyProperties")
        }
    }

    private static let problem: JSON = .object { problem in
        problem.add("name", "problem")
        problem.add("title", "A problem")
        problem.add(
            "summary", "The reply to a request that failed. Its type is the same as that of a successful reply.")
        problem.add("contentType", .string(ContentType.problem))
        problem.add("headers", reference("components", "schemas", "ReplyHeaders"))
        problem.add("payload", payload("problem"))
        finish(&problem, nil, "ReplyProperties")
    }

    private static func published(_ event: EventDescriptor) -> JSON {
        .object { message in
            message.add("name", .string(event.type))
            message.add("title", .string(event.type))
            message.add("summary", .string(event.summary))
            message.add("contentType", .string(ContentType.cloudEvent))
            message.add("payload", payload(event.type))
            message.add("examples", examples(event.example))
            message.add("bindings", ["amqp": ["messageType": .string(event.type), "bindingVersion": "0.3.0"]])
            message.add("x-warren-properties", reference("components", "schemas", "EventProperties"))
        }
    }

    private static func finish(_ message: inout JSONObject, _ type: String?, _ properties: String) {
        message.add("correlationId", reference("components", "correlationIds", "correlationId"))
        if let type {
            message.add("bindings", ["amqp": ["messageType": .string(type), "bindingVersion": "0.3.0"]])
        }
        message.add("x-warren-properties", reference("components", "schemas", properties))
    }

    private static func examples(_ payload: JSON?) -> JSON? {
        payload.map { [["payload": $0]] }
    }

    private static func payload(_ type: String) -> JSON {
        ["$ref": .string("./schemas/\(type).json")]
    }
}
