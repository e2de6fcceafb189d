import HTTPTypes
import Hummingbird
import Logging

/// Answers requests as Cloudinary would, from an `AssetStore`, save for the faults that are ordered.
struct LocalServer: HTTPResponder {
    typealias Context = BasicRequestContext

    let account: Account
    /// What the URLs in replies begin with.
    let origin: String
    let store: AssetStore
    let faults = FaultBoard()
    let logger: Logger

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let path = request.uri.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let segments = path.compactMap { String($0).percentDecoded }
        guard segments.count == path.count else {
            return try Reply.error(APIError(400, "Malformed path")).response
        }
        switch segments.first {
        case "faults" where segments.count == 1:
            return try await answer { try await answerFaults(request) }.response
        case "assets" where segments.count == 1:
            return try await answer { try await answerAssets(request) }.response
        case "v1_1" where segments.count == 5 && segments[3] == "image" || segments.count == 4:
            return try await answerAction(segments, request)
        default:
            guard segments.count >= 4, segments[1] == "image", segments[2] == "upload" else {
                return try Reply.error(.notFound).response
            }
            return try await struck(.delivery, request) { try await deliver(segments, request) }
        }
    }

    private func answerAction(_ segments: [String], _ request: Request) async throws -> Response {
        guard segments[2] == "image" else { return try Reply.error(.notFound).response }
        switch segments[3] {
        case "upload": return try await struck(.upload, request) { try await upload(cloud: segments[1], request) }
        case "destroy": return try await struck(.destroy, request) { try await destroy(cloud: segments[1], request) }
        default: return try Reply.error(.notFound).response
        }
    }

    /// The reply of some work, its errors as Cloudinary would write them.
    func answer(_ work: () async throws -> Reply) async throws -> Reply {
        do {
            return try await work()
        } catch let error as APIError {
            logger.info("refused", metadata: ["status": "\(error.status)"])
            return try .error(error)
        } catch let error as StoreError {
            logger.error("storage failed", metadata: ["call": "\(error.call)", "errno": "\(error.code)"])
            return try .error(APIError(500, "Internal error"))
        }
    }

    func require(_ request: Request, _ methods: HTTPRequest.Method...) throws(APIError) {
        guard methods.contains(request.method) else { throw APIError(405, "Method not allowed") }
    }
}
