extension AsyncAPI {
    /// Every message: requests, successful replies, the problem, and events.
    static let messages: JSON = .object { messages in
        for message in Messages.descriptors {
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
            request.add("headers", requestHeaders(message))
            request.add("payload", message.request == nil ? file : payload(message.name))
            request.add("examples", examples(message.requestExample))
            addProperties(to: &request, type: message.name, schema: "RequestProperties")
        }
    }

    /// Returns the schema of the headers. Only a file has the header `description`.
    private static func requestHeaders(_ message: MessageDescriptor) -> JSON {
        let common = reference("components", "schemas", "RequestHeaders")
        return message.request == nil ? ["allOf": [common, uploadHeaders]] : common
    }

    private static func description(of message: MessageDescriptor) -> String {
        let kind =
            switch message.kind {
            case .command:
                "A command: a persistent message that is carried out once for each message_id. The message_id must be "
                    + "a UUID."
            case .query: "A query: a transient message with an expiration."
            case .credential: "A credential: a transient message with an expiration. The broker does not persist it."
            }
        let subject = message.needsCaller ? " The header subject is required." : ""
        let body = message.request == EmptyBody.schema.shape ? " An empty body is treated as an empty object." : ""
        let codes = message.problems.map { "`\($0.code)` (\($0.status))" }.joined(separator: ", ")
        return kind + subject + body + (codes.isEmpty ? "" : " Problems of this message type: \(codes).")
    }

    private static let file: JSON = [
        "type": "string", "format": "binary",
        "description": .string(
            "A JPEG, PNG, GIF, WebP or AVIF file of at most \(Messages.Media.uploadLimit) bytes. The service detects "
                + "the format from the bytes."
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
            addProperties(to: &reply, type: message.replyName, schema: "ReplyProperties")
        }
    }

    private static let problem: JSON = .object { problem in
        problem.add("name", "problem")
        problem.add("title", "A problem")
        problem.add(
            "summary",
            "The reply to a request that failed. Its property `type` has the same value as in a successful reply.")
        problem.add("contentType", .string(ContentType.problem))
        problem.add("headers", reference("components", "schemas", "ReplyHeaders"))
        problem.add("payload", payload("problem"))
        addProperties(to: &problem, type: nil, schema: "ReplyProperties")
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

    private static func addProperties(to message: inout JSONObject, type: String?, schema: String) {
        message.add("correlationId", reference("components", "correlationIds", "correlationId"))
        if let type {
            message.add("bindings", ["amqp": ["messageType": .string(type), "bindingVersion": "0.3.0"]])
        }
        message.add("x-warren-properties", reference("components", "schemas", schema))
    }

    private static func examples(_ payload: JSON?) -> JSON? {
        payload.map { [["payload": $0]] }
    }

    private static func payload(_ type: String) -> JSON {
        ["$ref": .string("./schemas/\(type).json")]
    }
}
