internal import Contracts

extension OpenAPI {
    static let components: JSON = [
        "securitySchemes": [
            "bearer": [
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "The `accessToken` of a session.",
            ]
        ], "schemas": schemas, "parameters": sharedParameters, "headers": sharedHeaders, "examples": problemExamples,
    ]

    static func reference(_ kind: String, _ name: String) -> JSON {
        ["$ref": .string(place(kind, name))]
    }

    /// Returns the schema of a shape, with references to its named objects.
    static func schema(_ shape: Shape) -> JSON {
        shape.jsonSchema { place("schemas", $0.name) }
    }

    private static func place(_ kind: String, _ name: String) -> String {
        "#/components/\(kind)/\(name)"
    }

    /// The named objects in all bodies.
    static let objects: [ObjectShape] = {
        var shapes = [Receipt.schema.shape, .object(Problem.shape)]
        for route in RouteTable.all {
            guard case .message(let message, let source) = route.action else { continue }
            if source == .json, let request = message.request { shapes.append(request) }
            if let reply = message.reply { shapes.append(reply) }
        }
        var seen: Set<ObjectShape> = []
        return shapes.flatMap(\.namedObjects).filter { seen.insert($0).inserted }
    }()

    private static let schemas: JSON = .object { schemas in
        for object in objects.sorted(by: { $0.name < $1.name }) {
            schemas.add(object.name, object.jsonSchema { place("schemas", $0.name) })
        }
    }

    private static let sharedHeaders: JSON = [
        "X-Request-Id": header("The id from the request, or a new one.", ["type": "string"], isRequired: true),
        "RateLimit": header(
            "The remaining quota of each limit that applies to the request, and the time until it is reset.",
            ["type": "string"]),
        "RateLimit-Policy": header("The limits that apply to the request.", ["type": "string"]),
        "Location": header(
            "The address of the resource or, for 202, of the receipt.", ["type": "string", "format": "uri-reference"],
            isRequired: true),
        "ETag": header("The version of the resource.", ["type": "string"], isRequired: true),
        "Preference-Applied": header("`respond-async` if the client asked for it.", ["type": "string"]),
        "Accept-Encoding": header("`identity` if the body was compressed.", ["type": "string"]),
        "Retry-After": header("The seconds to wait before a retry.", ["type": "integer", "minimum": 0]),
        "WWW-Authenticate": header("The authentication scheme.", ["type": "string"], isRequired: true),
    ]

    private static func header(_ description: String, _ schema: JSON, isRequired: Bool = false) -> JSON {
        ["description": .string(description), "required": .bool(isRequired), "schema": schema]
    }

    private static let problemExamples: JSON = .object { examples in
        for code in ProblemCode.all {
            var problem = Problem(code)
            if code == .invalid {
                problem.faults = [ValidationFault(pointer: "/content", message: "must not be blank")]
            }
            let body = try? JSON.parse(problem.body(traceId: "0af7651916cd43dd8448eb211c80319c"))
            examples.add(code.code, ["value": body ?? nil])
        }
    }
}
