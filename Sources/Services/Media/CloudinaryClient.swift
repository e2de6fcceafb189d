internal import Contracts
internal import Curl
internal import FoundationEssentials
internal import Reactor

/// Calls Cloudinary's upload API: https://cloudinary.com/documentation/image_upload_api_reference.
///
/// Calls that fail with a transient error are retried with exponential backoff until their deadline.
@Loop final class CloudinaryClient {
    /// The response to an upload.
    private struct UploadResponse: SchemaCodable {
        let url: String

        static let schema = Schema<UploadResponse>.object(
            "UploadResponse", unknownFields: .ignored, field("secure_url", \.url, .string), make: UploadResponse.init)
    }

    /// The response to a deletion: `ok`, or `not found` if there was no image.
    private struct DestroyResponse: SchemaCodable {
        let result: String

        static let schema = Schema<DestroyResponse>.object(
            "DestroyResponse", unknownFields: .ignored, field("result", \.result, .string), make: DestroyResponse.init)
    }

    /// An image that Cloudinary has stored.
    struct StoredImage {
        /// The URL at which Cloudinary serves the image.
        let url: String
        /// The number of attempts. Cloudinary may still carry out an earlier attempt that got no response.
        let attempts: Int
    }

    /// The parameters and files of a call. Each attempt is signed anew, because the signature covers the current time.
    private struct Call {
        let action: String
        let parameters: [(name: String, value: String)]
        var files: [HTTPRequest.Part] = []
        /// The time limit of one attempt.
        let timeout: Duration
    }

    /// A retry starts only if at least this much time remains until the deadline.
    private static let shortestAttempt: Duration = .milliseconds(500)

    private let account: CloudinaryAccount
    private let http: CurlClient

    init(account: CloudinaryAccount, http: CurlClient) {
        self.account = account
        self.http = http
    }

    /// Uploads an image under an id. An image that has this id is replaced.
    ///
    /// - Parameter deadline: the time by which the last attempt ends.
    /// - Throws: ``CloudinaryError``; the image may have been stored nevertheless.
    func upload(
        _ bytes: [UInt8], id: UUID, type: String, until deadline: ContinuousClock.Instant
    ) async throws(CloudinaryError) -> StoredImage {
        // The part has a file name. Without it, Cloudinary would treat the bytes as text, and would fetch the URL
        // if the text is a URL.
        let file = HTTPRequest.Part(name: "file", fileName: "file", contentType: type, bytes: bytes)
        let call = Call(
            action: "upload", parameters: [("public_id", id.text), ("overwrite", "true")], files: [file],
            timeout: .seconds(15))
        let (response, attempts) = try await perform(call, until: deadline, UploadResponse.self)
        return StoredImage(url: response.url, attempts: attempts)
    }

    /// Deletes an image. Succeeds if no image has the id.
    ///
    /// - Parameter deadline: the time by which the last attempt ends.
    /// - Throws: ``CloudinaryError``.
    func destroy(_ id: UUID, until deadline: ContinuousClock.Instant) async throws(CloudinaryError) {
        let call = Call(
            action: "destroy", parameters: [("public_id", id.text), ("invalidate", "true")], timeout: .seconds(5))
        let result = try await perform(call, until: deadline, DestroyResponse.self).value.result
        guard result == "ok" || result == "not found" else {
            throw CloudinaryError(.refused, "unexpected result of destroy: \(result)")
        }
    }

    private func perform<Value: SchemaCodable>(
        _ call: Call, until deadline: ContinuousClock.Instant, _ type: Value.Type
    ) async throws(CloudinaryError) -> (value: Value, attempts: Int) {
        var backoff = Backoff(.milliseconds(200) ... .seconds(4))
        var attempts = 0
        while true {
            attempts += 1
            do throws(CloudinaryError) {
                let body = try await attempt(call, within: min(call.timeout, deadline - .now))
                return (try decode(type, body), attempts)
            } catch {
                let pause = backoff.next()
                guard error.isTransient, .now + pause + Self.shortestAttempt <= deadline else { throw error }
                do { try await Loop.sleep(for: pause) } catch let cancellation {
                    throw CloudinaryError(.unavailable, "cancelled between two attempts", cause: cancellation)
                }
            }
        }
    }

    private func attempt(_ call: Call, within limit: Duration) async throws(CloudinaryError) -> [UInt8] {
        let signed = call.parameters + [("timestamp", String(Timestamp.now().milliseconds / 1000))]
        let signature = CloudinarySignature.sign(signed, secret: account.secret)
        let fields = signed + [("api_key", account.key), ("signature", signature)]
        var request = HTTPRequest(
            method: "POST", url: "\(account.uploadPrefix)/v1_1/\(account.cloud)/image/\(call.action)",
            body: .multipart(fields.map { HTTPRequest.Part(name: $0.name, value: $0.value) } + call.files))
        request.timeouts.total = max(limit, .milliseconds(1))
        do {
            let response = try await http.perform(request)
            guard response.status == 200 else { throw CloudinaryError(status: response.status, body: response.body) }
            return response.body
        } catch let error as CloudinaryError {
            throw error
        } catch {
            throw CloudinaryError(.unavailable, "no response", cause: error)
        }
    }

    private func decode<Value: SchemaCodable>(_ type: Value.Type, _ body: [UInt8]) throws(CloudinaryError) -> Value {
        do {
            return try Value.schema.decode(JSON.parse(body))
        } catch {
            throw CloudinaryError(.unavailable, "malformed response", cause: error)
        }
    }
}
