import Contracts
import Curl
import Foundation
import Reactor
import TestSupport
import Testing

/// What stands in for Cloudinary, which keeps the pictures and fails when it is told to.
@Loop struct MediaHost {
    private let client: Client

    init() throws {
        let address = try TestEnvironment.value("CLOUDINARY_URL")
        let items = URLComponents(string: address)?.queryItems
        guard let url = items?.first(where: { $0.name == "upload_prefix" })?.value else {
            throw Command.Failed(description: "CLOUDINARY_URL has no upload_prefix")
        }
        client = try Client(url: url)
    }

    /// The ids of all that it keeps.
    func assets() async throws -> [String] {
        try await client.get("/assets").expect(200)["public_ids"]?.array?.compactMap(\.string) ?? []
    }

    /// What is delivered at a media's URL.
    func delivery(_ url: String) async throws -> Answer { try await client.get(url) }

    /// Orders faults for as long as the body runs.
    func with(faults: JSON, _ body: @Loop () async throws -> Void) async throws {
        try await client.send("PUT", "/faults", json: faults).expect(200)
        do {
            try await body()
        } catch {
            _ = try await client.delete("/faults")
            throw error
        }
        _ = try await client.delete("/faults")
    }
}
