import Contracts
import Curl
import Foundation
import Reactor
import TestSupport
import Testing

/// A client of `cloudinary-local`, which stores the stack's pictures and fails on demand.
@Loop struct MediaHostClient {
    private let client: APIClient

    init() throws {
        let address = try TestEnvironment.value("CLOUDINARY_URL")
        let items = URLComponents(string: address)?.queryItems
        let prefix = items?.first { $0.name == "upload_prefix" }?.value
        let url: String = try #require(prefix, "CLOUDINARY_URL has no upload_prefix")
        client = try APIClient(url: url)
    }

    /// Returns the ids of all stored pictures.
    func assets() async throws -> [String] {
        try await client.get("/assets").expect(200)["public_ids"]?.array?.compactMap(\.string) ?? []
    }

    /// Fetches a picture at the URL that the media service reports.
    func delivery(_ url: String) async throws -> APIResponse { try await client.get(url) }

    /// Runs a body while `cloudinary-local` applies these fault rules.
    func with(faults: JSON, _ body: @Loop () async throws -> Void) async throws {
        try await client.send("PUT", "/faults", json: faults).expect(200)
        let result = await outcome { try await body() }
        _ = try await client.delete("/faults")
        try result.get()
    }
}
