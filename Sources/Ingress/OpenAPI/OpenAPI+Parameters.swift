internal import Contracts

extension OpenAPI {
    /// Returns the parameters in the path, the query and the header fields of a request.
    static func parameters(_ route: Route, _ message: MessageDescriptor, _ source: BodySource) -> [JSON] {
        var parameters: [JSON] = []
        if case .parameters = source, case .object(let request) = message.request {
            for field in request.fields {
                parameters.append(
                    field.name == IfMatch.name
                        ? reference("parameters", "IfMatch") : parameter(field, isInPath: route.hasInPath(field)))
            }
        }
        if case .jsonAndPath(let types) = source, case .object(let request) = message.request {
            parameters += request.fields.filter { route.hasInPath($0) }.map { parameter($0, isInPath: true) }
            if types.hasEntityTags { parameters.append(reference("parameters", "IfMatch")) }
        }
        if case .receipt = source { parameters.append(receipt) }
        if message.kind == .command {
            parameters += [reference("parameters", "IdempotencyKey"), reference("parameters", "Prefer")]
        }
        if isConditionalRead(message) {
            parameters += [reference("parameters", "IfMatch"), reference("parameters", "IfNoneMatch")]
        }
        return parameters + [reference("parameters", "XRequestId"), reference("parameters", "Traceparent")]
    }

    /// Returns the body of a request; `nil` if the request has no body.
    static func body(_ route: Route, _ message: MessageDescriptor, _ source: BodySource) -> JSON? {
        switch source {
        case .none, .parameters, .receipt: nil
        case .json, .jsonAndPath:
            bodyShape(route, message).map { shape in
                [
                    "required": true,
                    "content": [
                        ContentType.json: .object { content in
                            content.add("schema", schema(shape))
                            content.add("example", bodyExample(route, message))
                        }
                    ],
                ]
            }
        case .upload: upload
        }
    }

    /// Returns the shape of a JSON body: the shape of the message without the parameters of the path and the entity
    /// tags of `If-Match`.
    static func bodyShape(_ route: Route, _ message: MessageDescriptor) -> Shape? {
        guard case .object(var object) = message.request else { return message.request }
        object.fields.removeAll { route.hasInPath($0) || $0.name == IfMatch.name }
        return .object(object)
    }

    /// Returns an example of a JSON body.
    static func bodyExample(_ route: Route, _ message: MessageDescriptor) -> JSON? {
        guard case .object(var example) = message.requestExample else { return message.requestExample }
        example.members.removeAll { route.hasInPath($0.name) }
        return .object(example)
    }

    /// Whether successful responses have an `ETag`.
    static func hasEntityTag(_ message: MessageDescriptor) -> Bool {
        isConditionalRead(message) || message.name == Messages.Media.update.name
    }

    /// Whether the request is a read that accepts conditions.
    static func isConditionalRead(_ message: MessageDescriptor) -> Bool {
        [Messages.Post.get.name, Messages.Media.get.name].contains(message.name)
    }

    private static func parameter(_ field: FieldShape, isInPath: Bool) -> JSON {
        .object { parameter in
            parameter.add("name", .string(field.name))
            parameter.add("in", isInPath ? "path" : "query")
            parameter.add("required", .bool(field.isRequired))
            var shape = field.shape
            if case .described(let inner, let text) = shape {
                parameter.add("description", .string(text))
                shape = inner
            }
            var schema = JSONObject()
            if case .object(let object) = shape.jsonSchema() { schema = object }
            schema.add("default", field.defaultValue)
            parameter.add("schema", .object(schema))
        }
    }

    private static let receipt: JSON = [
        "name": "receipt", "in": "path", "required": true, "schema": ["type": "string"],
        "description": "The last part of the path in `Location` of the 202 response. It is valid only for the caller.",
    ]

    private static let upload: JSON = [
        "required": true,
        "description": .string(
            """
            A part named `file` of at most \(Messages.Media.uploadLimit) bytes. The type of the picture is determined \
            from its bytes. The picture is published without its metadata, for example without the place where it was \
            taken. Other text fields are ignored.
            """),
        "content": [
            "multipart/form-data": [
                "schema": [
                    "type": "object",
                    "properties": [
                        "file": [
                            "type": "string", "format": "binary", "minLength": 1,
                            "description": "JPEG, PNG, GIF, WebP or AVIF.",
                        ],
                        "description": schema(MediaDescription.shape),
                    ],
                    "required": ["file"],
                ], "encoding": ["file": ["contentType": "image/jpeg, image/png, image/gif, image/webp, image/avif"]],
            ]
        ],
    ]

    /// The parameters that many operations share.
    static let sharedParameters: JSON = [
        "IdempotencyKey": field(
            "Idempotency-Key", ["type": "string", "pattern": "^[!-~]{1,200}$"],
            "A retry with the same key gets the response to the first request and changes nothing."),
        "Prefer": field(
            "Prefer", ["type": "string", "examples": ["respond-async"]],
            "With `respond-async` the response is 202 as soon as the broker has stored the command (RFC 7240)."),
        "IfNoneMatch": field(
            "If-None-Match", ["type": "string"],
            "The `ETag` of an earlier response. The response is 304 if the resource has not changed since then."),
        "IfMatch": field(
            "If-Match", ["type": "string"],
            "The `ETag` of the version that is meant, or several. If the resource has another version, nothing is "
                + "done, and the response is 412."),
        "XRequestId": field(
            "X-Request-Id", ["type": "string"],
            "An id that the response and every log line about the request contain. An invalid id is replaced."),
        "Traceparent": field(
            "traceparent", ["type": "string"],
            "The W3C trace context. It is passed on to the service that handles the message."),
    ]

    private static func field(_ name: String, _ schema: JSON, _ description: String) -> JSON {
        [
            "name": .string(name), "in": "header", "required": false, "schema": schema,
            "description": .string(description),
        ]
    }
}

extension Route {
    /// Whether a member of the message is a parameter in the path.
    fileprivate func hasInPath(_ field: FieldShape) -> Bool { hasInPath(field.name) }

    fileprivate func hasInPath(_ name: String) -> Bool { path.contains("{\(name)}") }
}
