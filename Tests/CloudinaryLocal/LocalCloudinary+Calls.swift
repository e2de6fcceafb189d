import Crypto
import Foundation
import TestSupport

extension LocalCloudinary {
    /// Returns the parameters with the API key, a timestamp and the signature. Existing values are kept.
    static func signed(_ parameters: [String: String], with sign: (String) -> String = sha1) -> [String: String] {
        var parameters = parameters
        if parameters["timestamp"] == nil { parameters["timestamp"] = String(Int(Date.now.timeIntervalSince1970)) }
        if parameters["signature"] == nil {
            let string = parameters.filter { $0.key != "api_key" && !$0.value.isEmpty }.sorted { $0.key < $1.key }
                .map { "\($0.key)=\($0.value.replacing("&", with: "%26"))" }.joined(separator: "&")
            parameters["signature"] = sign(string + secret)
        }
        if parameters["api_key"] == nil { parameters["api_key"] = key }
        return parameters
    }

    /// Returns the SHA-1 digest of a string in hex.
    static func sha1(_ string: String) -> String {
        Insecure.SHA1.hash(data: Data(string.utf8)).map { String(format: "%02x", $0) }.joined()
    }

    /// Returns the SHA-256 digest of a string in hex.
    static func sha256(_ string: String) -> String {
        SHA256.hash(data: Data(string.utf8)).map { String(format: "%02x", $0) }.joined()
    }

    /// Uploads a file.
    ///
    /// - Parameters:
    ///   - asIs: whether to send the parameters without signing them.
    ///   - limit: the time limit, in seconds.
    func upload(
        _ file: [UInt8]?, _ parameters: [String: String], asIs: Bool = false, name: String = "cat.png", limit: Int = 20
    ) async throws -> CurlExchange {
        let path = folder.path(UUID().uuidString)
        var arguments = (asIs ? parameters : Self.signed(parameters)).flatMap {
            ["--form-string", "\($0.key)=\($0.value)"]
        }
        if let file {
            try Data(file).write(to: URL(filePath: path))
            arguments += ["-F", "file=@\(path);filename=\(name)"]
        }
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await CurlExchange(arguments + [url("/v1_1/demo/image/upload")], limit: limit)
    }

    func destroy(_ parameters: [String: String]) async throws -> CurlExchange {
        let arguments = Self.signed(parameters).flatMap { ["--data-urlencode", "\($0.key)=\($0.value)"] }
        return try await CurlExchange(arguments + [url("/v1_1/demo/image/destroy")])
    }

    func get(_ path: String, _ arguments: String...) async throws -> CurlExchange {
        try await CurlExchange(arguments + ["--path-as-is", url(path)])
    }

    /// Returns the public ids of all stored files.
    func assets() async throws -> [String] {
        try await get("/assets").json["public_ids"] as? [String] ?? ["the response has no public_ids"]
    }

    /// Replaces the faults with the faults of a JSON document.
    func setFaults(_ faults: String) async throws -> CurlExchange {
        try await CurlExchange(["-X", "PUT", "-d", faults, url("/faults")])
    }
}
