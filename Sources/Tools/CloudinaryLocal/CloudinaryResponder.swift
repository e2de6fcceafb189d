import ASCII
import AtomicFile
import HTTPTypes
import Hummingbird
import Logging

/// Responds to requests as Cloudinary does, with the assets of an ``AssetStore``. If a fault rule matches a request,
/// the response is delayed, replaced or cut.
struct CloudinaryResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let account: Account
    /// The beginning of the URLs in responses, such as `http://127.0.0.1:8090`.
    let origin: String
    let store: AssetStore
    let faults = FaultRules()
    let logger: Logger

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let path = request.uri.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let segments = path.compactMap { PercentEncoding.decode($0.utf8) }
        guard segments.count == path.count else {
            return try APIReply.error(APIError(400, "The path is not correctly percent-encoded UTF-8")).response
        }
        switch segments.first {
        case "faults" where segments.count == 1:
            return try await catchingErrors { try await handleFaults(request) }.response
        case "assets" where segments.count == 1:
            return try await catchingErrors { try await listAssets(request) }.response
        case "v1_1" where segments.count == 5 && segments[3] == "image" || segments.count == 4:
            return try await respondToAction(segments, request)
        default:
            guard segments.count >= 4, segments[1] == "image", segments[2] == "upload" else {
                return try APIReply.error(.notFound).response
            }
            return try await applyingFaults(.delivery, request) { try await deliver(segments, request) }
        }
    }

    private func respondToAction(_ segments: [String], _ request: Request) async throws -> Response {
        guard segments[2] == "image" else { return try APIReply.error(.notFound).response }
        switch segments[3] {
        case "upload":
            return try await applyingFaults(.upload, request) { try await upload(cloud: segments[1], request) }
        case "destroy":
            return try await applyingFaults(.destroy, request) { try await destroy(cloud: segments[1], request) }
        default: return try APIReply.error(.notFound).response
        }
    }

    /// `GET /assets`: returns the stored public ids, for tests.
    private func listAssets(_ request: Request) async throws -> APIReply {
        try require(request, .get)
        return try .json(["public_ids": try await store.list()])
    }

    /// Returns the reply of `body`. If the request or the store causes an error, returns the error in Cloudinary's
    /// form.
    func catchingErrors(_ body: () async throws -> APIReply) async throws -> APIReply {
        do {
            return try await body()
        } catch let error as APIError {
            logger.info("the request was refused", metadata: ["status": "\(error.status)"])
            return try .error(error)
        } catch let error as AtomicFile.Failure {
            logger.error("a file operation failed", metadata: ["path": "\(error.path)", "errno": "\(error.code)"])
            return try .error(APIError(500, "Internal error"))
        }
    }

    /// Checks the method of a request.
    ///
    /// - Throws: an ``APIError`` with status 405 if `methods` does not contain the method.
    func require(_ request: Request, _ methods: HTTPRequest.Method...) throws(APIError) {
        guard methods.contains(request.method) else { throw APIError(405, "Method not allowed") }
    }
}
