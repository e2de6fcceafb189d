import Contracts
import Curl
import Foundation
import Reactor
import TestSupport

/// A client of the HTTP API.
@Loop struct APIClient {
    let url: String
    /// The access token that each request has; `nil` for requests without a token.
    var token: String?
    private let curl: CurlClient

    /// Makes a client without an account.
    ///
    /// - Parameter url: the server's URL; by default the URL of the stack's ingress.
    init(url: String? = nil) throws {
        self.url = try url ?? TestEnvironment.value("WARREN_URL")
        curl = try CurlClient()
    }

    /// Registers a new account at the stack's ingress and returns a client that is signed in to it.
    static func registered() async throws -> APIClient {
        let client = try APIClient()
        return client.signedIn(as: try await TestAccount.register(client))
    }

    /// Returns a copy that sends the access token of an account.
    func signedIn(as account: TestAccount) -> APIClient {
        var client = self
        client.token = account.accessToken
        return client
    }

    /// Sends a request and returns the response, also if its status is an error.
    ///
    /// - Parameter path: an absolute path of the API, or the whole URL of another server.
    func send(
        _ method: String, _ path: String, json: JSON? = nil, body: HTTPRequest.Body? = nil,
        headers: [(name: String, value: String)] = [], requestID: String = UUID().uuidString.lowercased()
    ) async throws -> APIResponse {
        var fields = [(name: "X-Request-Id", value: requestID)]
        if let token { fields.append((name: "Authorization", value: "Bearer \(token)")) }
        if json != nil { fields.append((name: "Content-Type", value: "application/json")) }
        var request = HTTPRequest(
            method: method, url: path.hasPrefix("/") ? url + path : path, headers: fields + headers,
            body: body ?? json.map { .bytes($0.serialized()) } ?? .none, maximumResponseSize: 8 << 20)
        request.timeouts.total = .seconds(60)
        request.timeouts.lowSpeedTime = .seconds(60)
        let response = try await curl.perform(request)
        return APIResponse(call: "\(method) \(path)", requestID: requestID, response: response)
    }

    func get(_ path: String) async throws -> APIResponse { try await send("GET", path) }

    func post(_ path: String, _ json: JSON) async throws -> APIResponse { try await send("POST", path, json: json) }

    func delete(_ path: String) async throws -> APIResponse { try await send("DELETE", path) }

    /// Uploads a file as the form field `file`.
    func upload(
        _ file: [UInt8], headers: [(name: String, value: String)] = [],
        requestID: String = UUID().uuidString.lowercased()
    ) async throws -> APIResponse {
        let part = HTTPRequest.Part(name: "file", fileName: "picture.png", contentType: "image/png", bytes: file)
        return try await send("POST", "/v1/media", body: .multipart([part]), headers: headers, requestID: requestID)
    }

    /// Creates a post.
    func createPost(
        _ content: String, media: [String] = [], headers: [(name: String, value: String)] = []
    ) async throws -> APIResponse {
        let ids = media.map { JSON.string($0) }
        let body: JSON = ["content": .string(content), "mediaIds": .array(ids)]
        return try await send("POST", "/v1/posts", json: body, headers: headers)
    }

    /// Searches the posts.
    ///
    /// - Parameter query: percent-encoded; may continue with further parameters (`word&limit=3`).
    func search(_ query: String) async throws -> APIResponse { try await get("/v1/search/posts?query=\(query)") }
}
