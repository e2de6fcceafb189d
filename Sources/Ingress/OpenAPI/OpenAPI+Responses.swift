internal import Contracts
internal import HTTPTypes

extension OpenAPI {
    /// Returns the responses of a route, one for each possible status.
    static func responses(_ route: Route, _ message: MessageDescriptor, _ source: BodySource) -> JSON {
        var responses: [(status: Int, response: JSON)] = [(message.status, successful(message, source))]
        if message.kind == .command { responses.append((202, accepted)) }
        if isConditionalRead(message) { responses.append((304, notModified)) }
        let problems = Dictionary(grouping: problems(route, message, source), by: \.status)
        responses += problems.map { ($0.key, problem($0.value, acceptsPatch: route.method == .patch)) }
        return .object { object in
            for (status, response) in responses.sorted(by: { $0.status < $1.status }) {
                object.add(String(status), response)
            }
        }
    }

    /// Returns the codes of the problems that a route may respond with, without duplicates.
    static func problems(_ route: Route, _ message: MessageDescriptor, _ source: BodySource) -> [ProblemCode] {
        // If-Match and If-None-Match are conditions of every request.
        var codes: [ProblemCode] = [
            .malformedRequest, .preconditionFailed, .headersTooLarge, .internal, .unavailable, .deadlineExceeded,
        ]
        switch source {
        case .none: break
        case .parameters: codes.append(.invalid)
        case .receipt: codes.append(.receiptNotFound)
        case .json, .jsonAndPath:
            codes += [.malformedJSON, .requestTimeout, .bodyTooLarge, .unsupportedMediaType, .invalid]
        case .upload: codes += [.requestTimeout, .bodyTooLarge, .unsupportedMediaType, .invalid]
        }
        if message.needsCaller { codes += [.unauthenticated, .invalidToken] }
        if message.kind == .command { codes.append(.idempotencyKeyReused) }
        if source.hasEntityTags { codes.append(.unsupportedCondition) }
        if route.limit != .unlimited { codes.append(.tooManyRequests) }
        codes += message.problems
        return ProblemCode.all.filter { codes.contains($0) }
    }

    /// Returns the response for problems that have the same status.
    static func problem(_ codes: [ProblemCode], acceptsPatch: Bool = false) -> JSON {
        .object { response in
            response.add("description", .string(codes.map { "\($0.title) (`\($0.code)`)." }.joined(separator: " ")))
            var headers = commonHeaders
            if codes.contains(where: { $0.status == 401 }) { headers.append("WWW-Authenticate") }
            if codes.contains(.unsupportedMediaType) {
                headers.append("Accept-Encoding")
                if acceptsPatch { headers.append("Accept-Patch") }
            }
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

    private static func successful(_ message: MessageDescriptor, _ source: BodySource) -> JSON {
        .object { response in
            response.add(
                "description", .string(message.reply == nil ? "The request was carried out." : message.summary))
            var headers = commonHeaders
            if message.status == 201, message.service != .identity { headers.append("Location") }
            if hasEntityTag(message) { headers.append("ETag") }
            response.add("headers", self.headers(headers))
            response.add("content", reply(message, source).map { content($0, example: message.replyExample) })
        }
    }

    private static let accepted: JSON = [
        "description": .string(
            """
            The broker has stored the command, and a worker will carry it out. The client sent `Prefer: \
            respond-async`, or no worker replied before the deadline.
            """),
        "headers": headers(commonHeaders + ["Location", "Preference-Applied"]),
        "content": content(acceptedReceipt, example: try? JSON.parse(Receipt.acceptedExample.jsonBytes())),
    ]

    static let notModified: JSON = [
        "description": "The resource has not changed.", "headers": headers(commonHeaders + ["ETag"]),
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
