import Crypto
import Foundation
import TestSupport

extension LocalCloudinary {
    /// The parameters with key, timestamp and signature added, those that are given left as they are.
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

    static func sha1(_ string: String) -> String {
        Insecure.SHA1.hash(data: Data(string.utf8)).map { String(format: "%02x", $0) }.joined()
    }

    static func sha256(_ string: String) -> String {
        SHA256.hash(data: Data(string.utf8)).map { String(format: "%02x", $0) }.joined()
    }

    /// Uploads a file, signed unless the parameters are to be sent as they are.
    func upload(
        _ file: Data?, _ parameters: [String: String], asIs: Bool = false, name: String = "cat.png", limit: Int = 20
    ) async throws -> Curl {
        let path = scratch.path(UUID().uuidString)
        var arguments = (asIs ? parameters : Self.signed(parameters)).flatMap {
            ["--form-string", "\($0.key)=\($0.value)"]
        }
        if let file {
            try file.write(to: URL(filePath: path))
            arguments += ["-F", "file=@\(path);filename=\(name)"]
        }
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await Curl(arguments + [url("/v1_1/demo/image/upload")], limit: limit)
    }

    func destroy(_ parameters: [String: String]) async throws -> Curl {
        let arguments = Self.signed(parameters).flatMap { ["--data-urlencode", "\($0.key)=\($0.value)"] }
        return try await Curl(arguments + [url("/v1_1/demo/image/destroy")])
    }

    func get(_ path: String, _ arguments: String...) async throws -> Curl {
        try await Curl(arguments + ["--path-as-is", url(path)])
    }

    /// The public ids that are stored.
    func assets() async throws -> [String] {
        try await get("/assets").json["public_ids"] as? [String] ?? ["no list"]
    }

    /// Orders faults, in JSON.
    func order(_ faults: String) async throws -> Curl {
        try await Curl(["-X", "PUT", "-d", faults, url("/faults")])
    }
}
