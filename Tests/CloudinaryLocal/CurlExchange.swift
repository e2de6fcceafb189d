import Foundation
import TestSupport

/// The result of an HTTP request that the curl command sent.
struct CurlExchange: Sendable {
    /// The exit status of curl: 0 for a whole response, 18 for a cut response, 28 if the time limit was exceeded.
    let exit: Int32
    let status: Int
    let headers: String
    let body: [UInt8]

    /// Runs curl with the arguments.
    ///
    /// - Parameter limit: the time limit, in seconds.
    init(_ arguments: [String], limit: Int = 20) async throws {
        self = try await onThreads { try CurlExchange(running: arguments, limit) }
    }

    private init(running arguments: [String], _ limit: Int) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/curl")
        process.arguments =
            [
                "-s", "--max-time", String(limit), "-D", folder.path("headers"), "-o", folder.path("body"), "-w",
                "%{http_code}",
            ] + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let code = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        exit = process.terminationStatus
        status = Int(String(decoding: code, as: UTF8.self)) ?? 0
        headers = String(
            decoding: FileManager.default.contents(atPath: folder.path("headers")) ?? Data(), as: UTF8.self)
        body = Array(FileManager.default.contents(atPath: folder.path("body")) ?? Data())
    }

    /// The body as a JSON object; empty if the body is not a JSON object.
    var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:]
    }

    /// The `error.message` of the body, which is how Cloudinary reports an error; `nil` if the body has none.
    var message: String? { (json["error"] as? [String: Any])?["message"] as? String }
}
