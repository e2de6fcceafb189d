import Foundation
import TestSupport

/// One HTTP exchange as a client saw it, made with the system's curl.
struct Curl: Sendable {
    /// curl's exit status: 0 for a whole answer, 18 for one that was cut, 28 for none in time.
    let exit: Int32
    let status: Int
    let headers: String
    let body: Data

    /// Runs curl with these arguments.
    init(_ arguments: [String], limit: Int = 20) async throws {
        self = try await onThreads { try Curl(running: arguments, limit) }
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
        body = FileManager.default.contents(atPath: directory.path("body")) ?? Data()
    }

    /// The body as a JSON object; empty where it is none.
    var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: body)) as? [String: Any] ?? [:]
    }

    /// The sentence of Cloudinary's error body.
    var message: String? { (json["error"] as? [String: Any])?["message"] as? String }
}
