import HTTPTypes
import Hummingbird
import NIOCore

/// An answer, before it is known whether it will be sent whole.
struct Reply: Sendable {
    let status: Int
    let contentType: String
    let bytes: [UInt8]
    var headers: [HTTPField] = []

    static func json(_ value: some Encodable, status: Int = 200) throws -> Reply {
        Reply(status: status, contentType: "application/json; charset=utf-8", bytes: try JSON.encode(value))
    }

    /// An error as Cloudinary writes it.
    static func error(_ error: APIError) throws -> Reply {
        try .json(["error": ["message": error.message]], status: error.status)
    }

    var response: Response {
        Response(status: .init(code: status), headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// The response with the connection broken after half of the body.
    var cutResponse: Response {
        let half = ByteBuffer(bytes: bytes.prefix(bytes.count / 2))
        let body = ResponseBody(contentLength: bytes.count) { writer in
            try await writer.write(half)
            throw CutConnection()
        }
        return Response(status: .init(code: status), headers: fields, body: body)
    }

    /// The response without its body, as to a `HEAD`.
    var headResponse: Response {
        Response(status: .init(code: status), headers: fields)
    }

    private var fields: HTTPFields {
        var fields = HTTPFields(headers)
        fields[.contentType] = contentType
        fields[.contentLength] = String(bytes.count)
        return fields
    }
}

/// Thrown while a body is written, to make the server drop the connection.
private struct CutConnection: Error {}
