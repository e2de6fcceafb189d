internal import Contracts
internal import HTTPTypes

/// The HTTP contract as an OpenAPI 3.1 document, made from the route table and the message descriptors.
enum OpenAPI {
    static let document: JSON = .object { document in
        document.add("openapi", "3.1.0")
        document.add("info", information)
        document.add("servers", servers)
        document.add("tags", .array(tags.map { ["name": .string($0.name), "description": .string($0.description)] }))
        document.add("paths", paths)
        document.add("components", components)
    }

    private static let information: JSON = [
        "title": "Warren", "version": "1.0.0",
        "description": .string(
            """
            Accounts, posts, pictures and search. Ids are UUIDs in lower case. Times are in the format of RFC 3339, in \
            UTC and with milliseconds. Every error, except the 503 of `/health/ready`, is an \
            `application/problem+json` document with a stable `code`. Unknown fields in a body are errors, and so are \
            unknown parameters of an operation that has parameters in its path or query. HEAD is supported for every \
            path that supports GET, and OPTIONS for every path. An unsupported method gets 405 with the field `Allow`. \
            An unknown path gets 404 with the code `not-found`. A path with a trailing slash is redirected (308) to \
            the path without it. Responses over 1 KiB are compressed if `Accept-Encoding` allows gzip, except those \
            with tokens.
            """),
    ]

    private static let servers: JSON = [
        ["url": "/", "description": "The server that this document was read from."],
        [
            "url": "{address}", "description": "Another server.",
            "variables": [
                "address": [
                    "default": "http://127.0.0.1:8080",
                    "description": "The scheme, the host and the port of an ingress.",
                ]
            ],
        ],
    ]

    private static let tags: [(name: String, description: String)] = [
        ("identity", "Accounts and sessions"), ("post", "Posts"), ("media", "Pictures"), ("search", "Search"),
        ("operation", "Health checks, public keys and this document"),
    ]

    private static let paths: JSON = .object { paths in
        var seen: Set<String> = []
        for path in RouteTable.all.map(\.path) where seen.insert(path).inserted {
            paths.add(
                path,
                .object { item in
                    for route in RouteTable.all where route.path == path {
                        item.add(route.method.rawValue.lowercased(), operation(route))
                    }
                })
        }
    }

    private static func operation(_ route: Route) -> JSON {
        switch route.action {
        case .message(let message, let source): operation(route, message, source)
        case .builtIn(let endpoint): operation(route, endpoint)
        }
    }

    private static func operation(_ route: Route, _ message: MessageDescriptor, _ source: BodySource) -> JSON {
        .object { operation in
            operation.add("operationId", .string(identifier(message.name)))
            operation.add("tags", [.string(message.service.rawValue)])
            operation.add("summary", .string(message.summary))
            operation.add("description", .string(description(message, source)))
            operation.add("parameters", .array(parameters(route, message, source)))
            operation.add("requestBody", body(route, message, source))
            operation.add("responses", responses(route, message, source))
            operation.add("security", message.needsCaller ? [["bearer": []]] : [])
        }
    }

    private static func description(_ message: MessageDescriptor, _ source: BodySource) -> String {
        var paragraphs: [String] = []
        if case .parameters = source, case .object(let request) = message.request {
            paragraphs = request.exclusions.map { names in
                "\(names.map { "`\($0)`" }.joined(separator: " and ")) must not be combined."
            }
        }
        paragraphs.append("Handled by the \(message.service.rawValue) service as the message `\(message.name)`.")
        return paragraphs.joined(separator: "\n\n")
    }

    /// Returns the `operationId` for a message type: `postCreate` for `post.create`.
    private static func identifier(_ name: String) -> String {
        let words = name.split { $0 == "." || $0 == "-" }
        return words.dropFirst().reduce(words.first.map(String.init) ?? "") {
            $0 + $1.prefix(1).uppercased() + $1.dropFirst()
        }
    }
}
