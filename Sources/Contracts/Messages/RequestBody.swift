/// Decodes and documents the body of a request.
package struct RequestBody<Request: Sendable>: Sendable {
    /// The shape of the JSON; `nil` if the body is a file.
    package let shape: Shape?
    /// A valid body; `nil` if the body is a file.
    let example: JSON?
    /// The part of an HTTP request that becomes the body.
    package private(set) var faultyPart = Problem.FaultyPart.content
    private let read: @Sendable ([UInt8]) throws(Problem) -> Request

    /// Decodes the bytes of a body.
    ///
    /// - Throws: the problem to reply with: `malformed-json`, `body-too-large` or `invalid`.
    package func decode(_ body: [UInt8]) throws(Problem) -> Request {
        try read(body)
    }
}

extension RequestBody where Request: SchemaCodable {
    /// A JSON body that the schema of `Request` describes.
    ///
    /// - Parameter example: a request for the documentation.
    static func json(example: Request) -> RequestBody {
        RequestBody(
            shape: Request.schema.shape, example: example.json, faultyPart: Request.faultyPart, read: decodeJSON)
    }

    private static func decodeJSON(_ body: [UInt8]) throws(Problem) -> Request {
        let json: JSON
        do { json = try JSON.parse(body) } catch { throw Problem.malformedJSON(error) }
        do {
            return try Request.schema.decode(json)
        } catch {
            var problem = Problem.invalid(error)
            problem.faultyPart = Request.faultyPart
            throw problem
        }
    }
}

extension RequestBody where Request == EmptyBody {
    /// A body that is an empty JSON object or has no bytes.
    static var empty: RequestBody {
        let object = json(example: EmptyBody())
        return RequestBody(shape: object.shape, example: object.example) { (body) throws(Problem) in
            body.isEmpty ? EmptyBody() : try object.decode(body)
        }
    }
}

extension RequestBody where Request == [UInt8] {
    /// A body that is a file.
    ///
    /// - Parameter limit: the maximum size in bytes.
    static func file(limit: Int) -> RequestBody {
        RequestBody(shape: nil, example: nil) { (body) throws(Problem) in
            guard body.count <= limit else { throw Problem(.bodyTooLarge) }
            return body
        }
    }
}

/// Describes a successful reply.
package struct ReplyBody<Reply: Sendable>: Sendable {
    /// The HTTP status.
    package let status: Int
    /// The schema of the JSON; `nil` if the reply has no body.
    package let schema: Schema<Reply>?
    /// A valid body; `nil` if the reply has no body.
    let example: JSON?
}

extension ReplyBody where Reply: SchemaCodable {
    /// A JSON body that the schema of `Reply` describes.
    ///
    /// - Parameter example: a reply for the documentation.
    static func json(_ status: Int, example: Reply) -> ReplyBody {
        ReplyBody(status: status, schema: Reply.schema, example: example.json)
    }
}

extension ReplyBody where Reply == EmptyBody {
    /// A reply with the status 204, which has no body.
    static var empty: ReplyBody { ReplyBody(status: 204, schema: nil, example: nil) }
}

/// Stands for the body of a request that has no fields. As the type of a reply, it means that the reply has no body.
package struct EmptyBody: SchemaCodable, Hashable {
    package init() {}

    package static let schema = Schema<EmptyBody>.object("EmptyBody", make: EmptyBody.init)
}
