import Contracts
import Curl
import Foundation
import Reactor
import TestSupport

/// A client of the HTTP API.
@Loop struct Client {
    let url: String
    /// Whose calls they are; nobody's where there is none.
    var token: String?
    private let curl: CurlClient

    /// Makes a client of the stack's ingress, or of another one.
    init(url: String? = nil) throws {
        self.url = try url ?? TestEnvironment.value("WARREN_URL")
        curl = try CurlClient()
    }

    /// The same client with an account's token.
    func by(_ person: Person) -> Client {
        var client = self
        client.token = person.accessToken
        return client
    }

    /// Sends a request; whatever the answer is, it is an answer.
    ///
    /// - Parameter path: an absolute path of the API, or a whole URL of another server.
    func send(
        _ method: String, _ path: String, json: JSON? = nil, body: HTTPRequest.Body? = nil,
        headers: [(name: String, value: String)] = [], requestID: String = UUID().uuidString.lowercased()
    ) async throws -> Answer {
        var fields = [(name: "X-Request-Id", value: requestID)]
        if let token { fields.append((name: "Authorization", value: "Bearer \(token)")) }
        if json != nil { fields.append((name: "Content-Type", value: "application/json")) }
        var request = HTTPRequest(
            method: method, url: path.hasPrefix("/") ? url + path : path, headers: fields + headers,
            body: body ?? json.map { .bytes($0.serialized()) } ?? .none, maximumResponseSize: 8 << 20)
        request.timeouts.total = .seconds(60)
        request.timeouts.lowSpeedTime = .seconds(60)
        let response = try await curl.perform(request)
        return Answer(call: "\(method) \(path)", requestID: requestID, response: response)
    }

    func get(_ path: String) async throws -> Answer { try await send("GET", path) }

    func post(_ path: String, _ json: JSON) async throws -> Answer { try await send("POST", path, json: json) }

    func delete(_ path: String) async throws -> Answer { try await send("DELETE", path) }

    /// Uploads a file as the API wants it.
    func upload(
        _ file: [UInt8], headers: [(name: String, value: String)] = [],
        requestID: String = UUID().uuidString.lowercased()
    ) async throws -> Answer {
        let part = HTTPRequest.Part(name: "file", fileName: "picture.png", contentType: "image/png", bytes: file)
        return try await send("POST", "/v1/media", body: .multipart([part]), headers: headers, requestID: requestID)
    }

    /// Writes a post.
    func write(
        _ content: String, media: [String] = [], headers: [(name: String, value: String)] = []
    ) async throws -> Answer {
        let ids = media.map { JSON.string($0) }
        let body: JSON = ["content": .string(content), "mediaIds": .array(ids)]
        return try await send("POST", "/v1/posts", json: body, headers: headers)
    }

    /// Searches for a word.
    func search(_ word: String) async throws -> Answer { try await get("/v1/search/posts?query=\(word)") }
}
