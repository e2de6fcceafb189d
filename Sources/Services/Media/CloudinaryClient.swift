internal import Contracts
internal import Curl
internal import FoundationEssentials
internal import Reactor

/// Calls Cloudinary's upload API: https://cloudinary.com/documentation/image_upload_api_reference.
@Loop final class CloudinaryClient {
    /// What Cloudinary says of a picture that it keeps.
    struct Asset: Described {
        let url: String
        let width: Int
        let height: Int

        static let schema = Schema<Asset>.object(
            "Asset", unknownFields: .ignored,
            field("secure_url", \.url, .string),
            field("width", \.width, .integer(0...)),
            field("height", \.height, .integer(0...)),
            make: Asset.init)
    }

    /// What Cloudinary says of a deletion: `ok`, or `not found` where there was nothing.
    private struct Destroyed: Described {
        let result: String

        static let schema = Schema<Destroyed>.object(
            "Destroyed", unknownFields: .ignored, field("result", \.result, .string), make: Destroyed.init)
    }

    private let account: CloudinaryAccount
    private let http: CurlClient

    init(account: CloudinaryAccount, http: CurlClient) {
        self.account = account
        self.http = http
    }

    /// Uploads a picture under an id of ours; a second upload under the same id takes the first one's place.
    ///
    /// - Throws: ``CloudinaryError``.
    func upload(_ bytes: [UInt8], id: UUID, type: ImageType) async throws(CloudinaryError) -> Asset {
        // The file goes as bytes in a part with a file name: a text would be fetched if it were a URL.
        let file = HTTPRequest.Part(name: "file", fileName: "file", contentType: type.rawValue, bytes: bytes)
        let body = try await call("upload", [("public_id", id.text), ("overwrite", "true")], [file])
        return try decode(Asset.self, body)
    }

    /// Deletes a picture; that there is none is as good.
    ///
    /// - Throws: ``CloudinaryError``.
    func destroy(_ id: UUID) async throws(CloudinaryError) {
        let body = try await call("destroy", [("public_id", id.text), ("invalidate", "true")], [])
        let result = try decode(Destroyed.self, body).result
        guard result == "ok" || result == "not found" else {
            throw CloudinaryError(.refused, "destroy: \(result)")
        }
    }

    private func call(
        _ action: String, _ parameters: [(name: String, value: String)], _ files: [HTTPRequest.Part]
    ) async throws(CloudinaryError) -> [UInt8] {
        let signed = parameters + [("timestamp", String(Timestamp.now().milliseconds / 1000))]
        let signature = CloudinarySignature.sign(signed, secret: account.secret)
        let fields = signed + [("api_key", account.key), ("signature", signature)]
        var request = HTTPRequest(
            method: "POST", url: "\(account.uploadPrefix)/v1_1/\(account.cloud)/image/\(action)",
            body: .multipart(fields.map { HTTPRequest.Part(name: $0.name, value: $0.value) } + files))
        request.timeouts.total = .seconds(20)
        do {
            let response = try await http.perform(request)
            guard response.status == 200 else { throw CloudinaryError(response) }
            return response.body
        } catch let error as CurlError {
            throw CloudinaryError(.passing, "\(error)")
        } catch let error as CloudinaryError {
            throw error
        } catch {
            throw CloudinaryError(.passing, "\(error)")
        }
    }

    private func decode<Value: Described>(_ type: Value.Type, _ body: [UInt8]) throws(CloudinaryError) -> Value {
        do {
            return try Value.schema.decode(JSON.parse(body))
        } catch {
            throw CloudinaryError(.passing, "an answer that cannot be read: \(error)")
        }
    }
}
