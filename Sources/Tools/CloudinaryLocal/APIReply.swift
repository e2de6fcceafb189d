import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// A reply that can be sent whole, cut after half of its body, or without its body.
struct APIReply: Sendable {
    let status: Int
    let contentType: String
    let bytes: [UInt8]
    var headers: [HTTPField] = []

    static func json(_ value: some Encodable, status: Int = 200) throws -> APIReply {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        let bytes = Array(try encoder.encode(value))
        return APIReply(status: status, contentType: "application/json; charset=utf-8", bytes: bytes)
    }

    /// Returns an error in Cloudinary's form.
    static func error(_ error: APIError) throws -> APIReply {
        try .json(["error": ["message": error.message]], status: error.status)
    }

    /// The whole response.
    var response: Response {
        Response(status: .init(code: status), headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// A response that breaks the connection after half of the body.
    var cutResponse: Response {
        let half = ByteBuffer(bytes: bytes.prefix(bytes.count / 2))
        let body = ResponseBody(contentLength: bytes.count) { writer in
            try await writer.write(half)
            throw CutConnection()
        }
        return Response(status: .init(code: status), headers: fields, body: body)
    }

    /// The response without its body, for `HEAD`.
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

/// Thrown while a body is written, so that the server closes the connection.
private struct CutConnection: Error {}
