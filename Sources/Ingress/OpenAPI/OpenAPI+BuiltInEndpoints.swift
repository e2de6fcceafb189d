internal import Contracts

extension OpenAPI {
    /// Returns the operation of an endpoint that the ingress serves without sending a message.
    static func operation(_ route: Route, _ endpoint: Route.BuiltInEndpoint) -> JSON {
        let texts = texts(endpoint)
        return .object { operation in
            operation.add("operationId", .string(texts.id))
            operation.add("tags", ["operation"])
            operation.add("summary", .string(texts.summary))
            if hasEntityTag(endpoint) {
                operation.add("parameters", [reference("parameters", "IfNoneMatch")])
            }
            operation.add("responses", responses(route, endpoint))
            operation.add("security", [])
        }
    }

    /// Whether the endpoint returns a document with an `ETag`.
    private static func hasEntityTag(_ endpoint: Route.BuiltInEndpoint) -> Bool {
        switch endpoint {
        case .openAPI, .root, .documentation: true
        case .liveness, .readiness, .publicKeys: false
        }
    }

    private static func texts(_ endpoint: Route.BuiltInEndpoint) -> (id: String, summary: String) {
        switch endpoint {
        case .liveness: ("live", "Reports that the process runs.")
        case .readiness: ("ready", "Reports whether the broker and Redis are reachable, and which queues are missing.")
        case .publicKeys: ("publicKeys", "Returns the public keys that verify access tokens (RFC 7517).")
        case .openAPI: ("openAPI", "Returns this document.")
        case .root: ("root", "Says what this server is, and where its contract is.")
        case .documentation: ("documentation", "Returns a page on which a person reads and tries the API.")
        }
    }

    private static func responses(_ route: Route, _ endpoint: Route.BuiltInEndpoint) -> JSON {
        .object { responses in
            switch endpoint {
            case .liveness:
                responses.add(
                    "200", response("The process runs.", ContentType.json, state(["status": constant("alive")])))
            case .readiness:
                responses.add(
                    "200",
                    response("The ingress can serve requests.", ContentType.json, readiness("ready", broker: "up")))
            case .publicKeys:
                responses.add("200", response("The public keys.", "application/jwk-set+json", keys))
            case .openAPI:
                responses.add(
                    "200",
                    response("The OpenAPI document.", ContentType.json, ["type": "object"], entityTag: true))
            case .root:
                let names = ["name", "description", "contract", "documentation", "health"]
                let properties = JSON.object { for name in names { $0.add(name, ["type": "string"]) } }
                responses.add(
                    "200",
                    response("The name and the addresses.", ContentType.json, state(properties), entityTag: true))
            case .documentation:
                responses.add("200", response("The page.", "text/html", ["type": "string"], entityTag: true))
            }
            if hasEntityTag(endpoint) { responses.add("304", notModified) }
            responses.add("400", problem([.malformedRequest]))
            if route.limit != .unlimited { responses.add("429", problem([.tooManyRequests])) }
            responses.add("431", problem([.headersTooLarge]))
            if endpoint == .readiness {
                responses.add(
                    "503",
                    response("The broker is unreachable.", ContentType.json, readiness("unavailable", broker: "down")))
            }
        }
    }

    private static func response(
        _ description: String, _ type: String, _ schema: JSON, entityTag: Bool = false
    ) -> JSON {
        [
            "description": .string(description), "headers": headers(commonHeaders + (entityTag ? ["ETag"] : [])),
            "content": [type: ["schema": schema]],
        ]
    }

    private static func readiness(_ status: String, broker: String) -> JSON {
        state([
            "status": constant(status), "broker": constant(broker),
            "redis": ["type": "string", "enum": ["up", "down"]],
            "missingQueues": ["type": "array", "items": ["type": "string"]],
        ])
    }

    private static let keys: JSON = [
        "type": "object", "required": ["keys"],
        "properties": [
            "keys": ["type": "array", "items": ["type": "object", "required": ["kty", "kid"]], "minItems": 1]
        ],
    ]

    private static func constant(_ text: String) -> JSON { ["type": "string", "const": .string(text)] }

    private static func state(_ properties: JSON) -> JSON {
        guard case .object(let object) = properties else { return [:] }
        return ["type": "object", "properties": properties, "required": .strings(object.members.map(\.name))]
    }
}
