extension AsyncAPI {
    /// Every message: requests, their good replies, the problem, events.
    static let messages: JSON = .object { messages in
        for message in Messages.all {
            messages.add(message.name, request(message))
            messages.add(message.replyName, reply(message))
        }
        messages.add("problem", problem)
        for event in EventDescriptor.all { messages.add(event.type, announcement(event)) }
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
            finish(&request, message.name, "RequestProperties")
        }
    }

    private static func description(of message: MessageDescriptor) -> String {
        let travel =
            switch message.kind {
            case .command: "A command: persistent, and carried out once per message_id, which must be a UUID."
            case .query: "A query: transient, with an expiration."
            case .credential: "A credential: transient, with an expiration; never stored by the broker."
            }
        let caller = message.needsSubject ? " Needs the header subject." : ""
        let body = message.request == EmptyBody.schema.shape ? " No bytes at all are taken for an empty object." : ""
        let codes = message.problems.map { "`\($0.code)` (\($0.status))" }.joined(separator: ", ")
        return travel + caller + body + (codes.isEmpty ? "" : " Problems of its own: \(codes).")
    }

    private static let file: JSON = [
        "type": "string", "format": "binary",
        "description": .string(
            "The bytes of a JPEG, PNG, GIF or WebP, up to \(Messages.Media.uploadLimit) of them; the bytes tell which it is."
        ),
    ]

    private static func reply(_ message: MessageDescriptor) -> JSON {
        .object { reply in
            reply.add("name", .string(message.replyName))
            reply.add("title", .string("\(message.replyName), status \(message.status)"))
            reply.add("contentType", message.reply.map { _ in .string(ContentType.json) })
            reply.add("headers", reference("components", "schemas", "ReplyHeaders"))
            reply.add("payload", message.reply.map { _ in payload(message.replyName) })
            finish(&reply, message.replyName, "ReplyProperties")
        }
    }

    private static let problem: JSON = .object { problem in
        problem.add("name", "problem")
        problem.add("title", "What went wrong")
        problem.add("summary", "The reply to any request that was not carried out; its type is that of the good reply.")
        problem.add("contentType", .string(ContentType.problem))
        problem.add("headers", reference("components", "schemas", "ReplyHeaders"))
        problem.add("payload", payload("problem"))
        finish(&problem, nil, "ReplyProperties")
    }

    private static func announcement(_ event: EventDescriptor) -> JSON {
        .object { message in
            message.add("name", .string(event.type))
            message.add("title", .string(event.type))
            message.add("contentType", .string(ContentType.cloudEvent))
            message.add("payload", payload(event.type))
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

    private static func payload(_ type: String) -> JSON {
        ["$ref": .string("./schemas/\(type).json")]
    }
}
