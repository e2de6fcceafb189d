internal import Contracts

extension OpenAPI {
    static let components: JSON = [
        "securitySchemes": [
            "bearer": [
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "The `accessToken` of a session, for example from `POST /v1/auth/login`.",
            ]
        ], "schemas": schemas, "parameters": sharedParameters, "headers": sharedHeaders, "examples": problemExamples,
    ]

    static func reference(_ kind: String, _ name: String) -> JSON {
        ["$ref": .string(pointer(kind, name))]
    }

    /// Returns the JSON schema of a shape, with references to the schemas of its named objects.
    static func schema(_ shape: Shape) -> JSON {
        shape.jsonSchema { pointer("schemas", $0.name) }
    }

    private static func pointer(_ kind: String, _ name: String) -> String {
        "#/components/\(kind)/\(name)"
    }

    /// The named objects in all request and response bodies, without duplicates.
    static let objects: [ObjectShape] = {
        var shapes = [acceptedReceipt, .object(Problem.shape)]
        for route in RouteTable.all {
            guard case .message(let message, let source) = route.action else { continue }
            if source.hasJSONBody, let request = bodyShape(route, message) {
                shapes.append(request)
            }
            if let reply = reply(message, source) { shapes.append(reply) }
        }
        var seen: Set<ObjectShape> = []
        return shapes.flatMap(\.namedObjects).filter { seen.insert($0).inserted }
    }()

    private static let schemas: JSON = .object { schemas in
        for object in objects.sorted(by: { $0.name < $1.name }) {
            schemas.add(object.name, object.jsonSchema { pointer("schemas", $0.name) })
        }
    }

    private static let sharedHeaders: JSON = [
        "X-Request-Id": header(
            "The id that the client sent, or a new id if the client sent no valid id.", ["type": "string"],
            isRequired: true),
        "RateLimit": header(
            "For each limit that applies to the request, the remaining quota and the seconds until it is reset.",
            ["type": "string"]),
        "RateLimit-Policy": header("The limits that apply to the request.", ["type": "string"]),
        "Location": header(
            "The path of the resource, or the path of the receipt if the status is 202.",
            ["type": "string", "format": "uri-reference"],
            isRequired: true),
        "ETag": header("The version of the resource.", ["type": "string"], isRequired: true),
        "Preference-Applied": header("`respond-async` if the client sent this preference.", ["type": "string"]),
        "Accept-Encoding": header("`identity` if the request had a `Content-Encoding`.", ["type": "string"]),
        "Accept-Patch": header("`application/json` if the method was PATCH.", ["type": "string"]),
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
