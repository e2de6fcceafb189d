internal import Contracts
internal import Curl
internal import FoundationEssentials
internal import ImageHeaders
internal import Reactor

/// Calls Cloudinary's upload API: https://cloudinary.com/documentation/image_upload_api_reference.
///
/// What fails for a passing reason is tried again after a pause, as long as its caller has time.
@Loop final class CloudinaryClient {
    /// What Cloudinary says of a picture that it keeps.
    private struct Asset: SchemaCodable {
        let url: String

        static let schema = Schema<Asset>.object(
            "Asset", unknownFields: .ignored, field("secure_url", \.url, .string), make: Asset.init)
    }

    /// What Cloudinary says of a deletion: `ok`, or `not found` where there was nothing.
    private struct Destroyed: SchemaCodable {
        let result: String

        static let schema = Schema<Destroyed>.object(
            "Destroyed", unknownFields: .ignored, field("result", \.result, .string), make: Destroyed.init)
    }

    /// A call that is sent anew, with a signature of its own, at each attempt.
    private struct Call {
        let action: String
        let parameters: [(name: String, value: String)]
        var files: [HTTPRequest.Part] = []
        /// How long one attempt may take.
        let limit: Duration
    }

    private let account: CloudinaryAccount
    private let http: CurlClient

    init(account: CloudinaryAccount, http: CurlClient) {
        self.account = account
        self.http = http
    }

    /// Uploads a picture under an id of ours; a second upload under the same id takes the first one's place.
    ///
    /// - Parameter end: when to give up.
    /// - Returns: where the picture is delivered.
    /// - Throws: ``CloudinaryError``; the picture may be there all the same.
    func upload(
        _ bytes: [UInt8], id: UUID, type: String, until end: ContinuousClock.Instant
    ) async throws(CloudinaryError) -> String {
        // The file goes as bytes in a part with a file name: a text would be fetched if it were a URL.
        let file = HTTPRequest.Part(name: "file", fileName: "file", contentType: type, bytes: bytes)
        let call = Call(
            action: "upload", parameters: [("public_id", id.text), ("overwrite", "true")], files: [file],
            limit: .seconds(15))
        return try await perform(call, until: end, Asset.self).url
    }

    /// Deletes a picture; that there is none is as good.
    ///
    /// - Throws: ``CloudinaryError``.
    func destroy(_ id: UUID, until end: ContinuousClock.Instant) async throws(CloudinaryError) {
        let call = Call(
            action: "destroy", parameters: [("public_id", id.text), ("invalidate", "true")], limit: .seconds(5))
        let result = try await perform(call, until: end, Destroyed.self).result
        guard result == "ok" || result == "not found" else {
            throw CloudinaryError(.refused, "destroy: \(result)")
        }
    }

    /// Makes a call until it succeeds, fails for good, or the time is over.
    private func perform<Value: SchemaCodable>(
        _ call: Call, until end: ContinuousClock.Instant, _ type: Value.Type
    ) async throws(CloudinaryError) -> Value {
        var pauses = RetryPauses()
        while true {
            do throws(CloudinaryError) {
                return try decode(type, try await attempt(call, within: min(call.limit, end - .now)))
            } catch {
                let pause = pauses.next()
                guard error.kind == .passing, .now + pause + RetryPauses.shortestAttempt <= end else { throw error }
                do { try await Loop.sleep(for: pause) } catch { throw CloudinaryError(.passing, "cancelled") }
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
            throw CloudinaryError(.passing, "\(error)")
        }
    }

    private func decode<Value: SchemaCodable>(_ type: Value.Type, _ body: [UInt8]) throws(CloudinaryError) -> Value {
        do {
            return try Value.schema.decode(JSON.parse(body))
        } catch {
            throw CloudinaryError(.passing, "an answer that cannot be read: \(error)")
        }
    }
}

/// The pauses between attempts: doubled each time up to the longest, each shortened by up to a half at random.
struct RetryPauses {
    /// An attempt that has less time than this is not worth its beginning.
    static let shortestAttempt: Duration = .milliseconds(500)

    private static let longest: Duration = .seconds(4)
    private var current: Duration = .milliseconds(200)

    mutating func next() -> Duration {
        defer { current = min(current * 2, Self.longest) }
        return current * Double.random(in: 0.5...1)
    }
}
