/// How the body of a request is read.
package struct RequestBody<Request: Sendable>: Sendable {
    /// The shape of the JSON; none where the body is bytes.
    package let shape: Shape?
    private let read: @Sendable ([UInt8]) throws(Problem) -> Request

    /// Reads a body as it came.
    ///
    /// - Throws: the problem to answer with: `malformed-json`, `body-too-large` or `invalid`.
    package func decode(_ body: [UInt8]) throws(Problem) -> Request {
        try read(body)
    }
}

extension RequestBody {
    /// JSON, of this schema.
    static func json(_ schema: Schema<Request>) -> RequestBody {
        RequestBody(shape: schema.shape) { (body) throws(Problem) in try read(body, schema) }
    }

    private static func read(_ body: [UInt8], _ schema: Schema<Request>) throws(Problem) -> Request {
        let json: JSON
        do { json = try JSON.parse(body) } catch { throw Problem.malformedJSON(error) }
        do { return try schema.decode(json) } catch { throw Problem.invalid(error) }
    }
}

extension RequestBody where Request == EmptyBody {
    /// An object without members, or no bytes at all.
    static var nothing: RequestBody {
        let empty = json(EmptyBody.schema)
        return RequestBody(shape: empty.shape) { (body) throws(Problem) in
            body.isEmpty ? EmptyBody() : try empty.decode(body)
        }
    }
}

extension RequestBody where Request == [UInt8] {
    /// Bytes that are no JSON, up to a limit.
    static func bytes(limit: Int) -> RequestBody {
        RequestBody(shape: nil) { (body) throws(Problem) in
            guard body.count <= limit else { throw Problem(.bodyTooLarge) }
            return body
        }
    }
}

extension EmptyBody: SchemaCodable {
    package static let schema = Schema<EmptyBody>.object("Nothing", make: EmptyBody.init)
}
