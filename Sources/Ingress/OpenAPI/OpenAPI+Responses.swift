internal import Contracts

extension OpenAPI {
    /// Every status with which a route's requests may end.
    static func responses(_ route: Route, _ message: MessageDescriptor, _ source: BodySource) -> JSON {
        var responses: [(status: Int, response: JSON)] = [(message.status, good(message))]
        if message.kind == .command { responses.append((202, accepted)) }
        if hasEntityTag(message) { responses.append((304, notModified)) }
        let problems = Dictionary(grouping: problems(route, message, source), by: \.status)
        responses += problems.map { ($0.key, problem($0.value)) }
        return .object { object in
            for (status, response) in responses.sorted(by: { $0.status < $1.status }) {
                object.add(String(status), response)
            }
        }
    }

    /// The kinds of problem that may be the answer, each once.
    static func problems(_ route: Route, _ message: MessageDescriptor, _ source: BodySource) -> [ProblemCode] {
        var codes: [ProblemCode] = [.malformedRequest, .headersTooLarge, .internal, .unavailable, .deadlineExceeded]
        switch source {
        case .none: break
        case .parameters: codes.append(.invalid)
        case .json:
            codes += [.malformedJSON, .requestTimeout, .bodyTooLarge, .unsupportedMediaType, .invalid]
        case .upload: codes += [.requestTimeout, .bodyTooLarge, .unsupportedMediaType, .invalid]
        }
        if message.needsSubject { codes += [.unauthenticated, .invalidToken] }
        if message.kind == .command { codes.append(.idempotencyKeyReused) }
        if route.limit != .unlimited { codes.append(.tooManyRequests) }
        codes += message.problems
        return ProblemCode.all.filter { codes.contains($0) }
    }

    /// A response that is a problem of one of these codes, which have the same status.
    static func problem(_ codes: [ProblemCode]) -> JSON {
        .object { response in
            response.add("description", .string(codes.map { "\($0.title) (`\($0.code)`)." }.joined(separator: " ")))
            var headers = commonHeaders
            if codes.contains(where: { $0.status == 401 }) { headers.append("WWW-Authenticate") }
            if codes.contains(.unsupportedMediaType) { headers.append("Accept-Encoding") }
            if codes.contains(where: { $0.retryAfter != nil }) { headers.append("Retry-After") }
            response.add("headers", self.headers(headers))
            response.add(
                "content",
                [
                    ContentType.problem: [
                        "schema": reference("schemas", Problem.shape.name),
                        "examples": .object { examples in
                            for code in codes { examples.add(code.code, reference("examples", code.code)) }
                        },
                    ]
                ])
        }
    }

    static let commonHeaders = ["X-Request-Id", "RateLimit", "RateLimit-Policy"]

    private static func good(_ message: MessageDescriptor) -> JSON {
        .object { response in
            response.add("description", .string(message.reply == nil ? "Done." : message.summary))
            var headers = commonHeaders
            if message.status == 201, message.service != .identity { headers.append("Location") }
            if hasEntityTag(message) { headers.append("ETag") }
            response.add("headers", self.headers(headers))
            response.add("content", message.reply.map { content($0, example: OpenAPIExamples.replies[message.name]) })
        }
    }

    private static let accepted: JSON = [
        "description": .string(
            "Safely queued, and carried out later: asked for, or no worker has answered by the deadline."),
        "headers": headers(commonHeaders + ["Location", "Preference-Applied"]),
        "content": content(Receipt.schema.shape, example: ["id": OpenAPIExamples.id, "status": "accepted"]),
    ]

    private static let notModified: JSON = [
        "description": "The client has this version already.", "headers": headers(commonHeaders + ["ETag"]),
    ]

    private static func content(_ shape: Shape, example: JSON?) -> JSON {
        [
            ContentType.json: .object { content in
                content.add("schema", schema(shape))
                content.add("example", example)
            }
        ]
    }

    static func headers(_ names: [String]) -> JSON {
        .object { headers in
            for name in names { headers.add(name, reference("headers", name)) }
        }
    }
}
