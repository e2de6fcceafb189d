internal import Contracts

extension OpenAPI {
    /// What is in the path, the query and the header fields of a request.
    static func parameters(_ route: Route, _ message: MessageDescriptor, _ source: BodySource) -> [JSON] {
        var parameters: [JSON] = []
        if case .parameters = source, case .object(let request) = message.request {
            parameters += request.fields.map { parameter($0, isInPath: route.path.contains("{\($0.name)}")) }
        }
        if message.kind == .command {
            parameters += [reference("parameters", "IdempotencyKey"), reference("parameters", "Prefer")]
        }
        if hasEntityTag(message) { parameters.append(reference("parameters", "IfNoneMatch")) }
        return parameters + [reference("parameters", "XRequestId"), reference("parameters", "Traceparent")]
    }

    /// The body of a request; none where it has none.
    static func body(_ message: MessageDescriptor, _ source: BodySource) -> JSON? {
        switch source {
        case .none, .parameters: nil
        case .json:
            message.request.map { shape in
                [
                    "required": true,
                    "content": [
                        ContentType.json: .object { content in
                            content.add("schema", schema(shape))
                            content.add("example", OpenAPIExamples.requests[message.name])
                        }
                    ],
                ]
            }
        case .upload: upload
        }
    }

    /// Whether the answers say which version they show.
    static func hasEntityTag(_ message: MessageDescriptor) -> Bool {
        message.name == Messages.Post.get.name
    }

    private static func parameter(_ field: FieldShape, isInPath: Bool) -> JSON {
        .object { parameter in
            parameter.add("name", .string(field.name))
            parameter.add("in", isInPath ? "path" : "query")
            parameter.add("required", .bool(field.isRequired))
            parameter.add("description", OpenAPIExamples.words[field.name].map { .string($0) })
            var schema = JSONObject()
            if case .object(let object) = field.shape.jsonSchema() { schema = object }
            schema.add("default", field.defaultValue)
            parameter.add("schema", .object(schema))
        }
    }

    private static let upload: JSON = [
        "required": true,
        "description": .string(
            "One part named `file`, up to \(Messages.Media.uploadLimit) bytes; its bytes tell what it is."),
        "content": [
            "multipart/form-data": [
                "schema": [
                    "type": "object",
                    "properties": [
                        "file": [
                            "type": "string", "format": "binary", "minLength": 1,
                            "description": "JPEG, PNG, GIF or WebP.",
                        ]
                    ],
                    "required": ["file"], "additionalProperties": false,
                ], "encoding": ["file": ["contentType": "image/jpeg, image/png, image/gif, image/webp"]],
            ]
        ],
    ]

    /// Parameters that many operations have.
    static let sharedParameters: JSON = [
        "IdempotencyKey": field(
            "Idempotency-Key", ["type": "string", "pattern": "^[!-~]{1,200}$"],
            "The same key from the same caller gets the same answer and no second effect."),
        "Prefer": field(
            "Prefer", ["type": "string", "examples": ["respond-async"]],
            "`respond-async`: answered 202 as soon as the command is safely queued (RFC 7240)."),
        "IfNoneMatch": field(
            "If-None-Match", ["type": "string"], "An `ETag` that the client has: 304 where it is still the same."),
        "XRequestId": field(
            "X-Request-Id", ["type": "string"],
            "Comes back, and is in every log line; one that is no id is replaced."),
        "Traceparent": field("traceparent", ["type": "string"], "W3C trace context; goes on through the broker."),
    ]

    private static func field(_ name: String, _ schema: JSON, _ description: String) -> JSON {
        [
            "name": .string(name), "in": "header", "required": false, "schema": schema,
            "description": .string(description),
        ]
    }
}
