import Foundation
import TestSupport

/// An HTTP request made with the curl command, and the response that it received.
struct CurlExchange: Sendable {
    /// The exit status of curl: 0 for a whole response, 18 for a cut one, 28 after the time limit.
    let exit: Int32
    let status: Int
    let headers: String
    let body: [UInt8]

    /// Runs curl.
    ///
    /// - Parameter limit: the time limit, in seconds.
    init(_ arguments: [String], limit: Int = 20) async throws {
        self = try await onThreads { try CurlExchange(running: arguments, limit) }
    }

    private init(running arguments: [String], _ limit: Int) throws {
        let directory = try Scratch()
        defer { directory.remove() }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/curl")
        process.arguments =
            [
                "-s", "--max-time", String(limit), "-D", directory.path("headers"), "-o", directory.path("body"), "-w",
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
            decoding: FileManager.default.contents(atPath: directory.path("headers")) ?? Data(), as: UTF8.self)
        body = Array(FileManager.default.contents(atPath: directory.path("body")) ?? Data())
    }

    /// The body as a JSON object; empty if it is not one.
    var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:]
    }

    /// The message of an error in Cloudinary's form.
    var message: String? { (json["error"] as? [String: Any])?["message"] as? String }
}
