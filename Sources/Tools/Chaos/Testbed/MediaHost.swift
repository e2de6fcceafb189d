import Contracts
import Curl
import Reactor

/// The administration of `cloudinary-local`.
@Loop struct MediaHost {
    private let url: String
    private let curl: CurlClient

    init(_ addresses: Addresses) throws {
        url = "http://127.0.0.1:\(addresses.cloudinary)"
        curl = try CurlClient()
    }

    func close() { curl.close() }

    /// Returns the ids of all stored pictures.
    func assets() async throws -> [String] {
        let response = try await send("GET", "/assets")
        return try JSON.parse(response, limits: .trusted)["public_ids"]?.array?.compactMap(\.string) ?? []
    }

    /// Makes requests fail, as `Sources/Tools/CloudinaryLocal/README.md` describes.
    func set(faults: JSON) async throws {
        _ = try await send("PUT", "/faults", .bytes(faults.serialized()))
    }

    func removeFaults() async throws {
        _ = try await send("DELETE", "/faults")
    }

    private func send(_ method: String, _ path: String, _ body: HTTPRequest.Body = .none) async throws -> [UInt8] {
        let response = try await curl.perform(
            HTTPRequest(method: method, url: url + path, body: body, maximumResponseSize: 64 << 20))
        guard response.status < 300 else {
            throw ChaosError("\(method) \(path) of cloudinary-local: \(response.status)")
        }
        return response.body
    }
}
