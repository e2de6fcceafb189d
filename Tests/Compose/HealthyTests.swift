import Foundation
import Glibc
import Testing

@Suite("A container's own check")
struct HealthyTests {
    private func status(_ arguments: String..., file: String = "") throws -> Int32 {
        try Repository.run(Repository.path("compose/healthy"), arguments, ["WARREN_HEALTH_FILE": file]).status
    }

    @Test("holds while the health file is fresh, not when it is old or missing")
    func file() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "healthy-\(UUID().uuidString)")
            .path(percentEncoded: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try status("file", file: path) != 0)
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        #expect(try status("file", file: path) == 0)
        let old = [FileAttributeKey.modificationDate: Date(timeIntervalSinceNow: -20)]
        try FileManager.default.setAttributes(old, ofItemAtPath: path)
        #expect(try status("file", file: path) != 0)
    }

    @Test("holds where HTTP answers 200, and nowhere else")
    func http() throws {
        let server = Process()
        let output = Pipe()
        server.executableURL = URL(filePath: "/usr/bin/python3")
        server.arguments = ["-uc", Self.server]
        server.standardOutput = output
        server.standardError = FileHandle.nullDevice
        try server.run()
        // Not with SIGTERM, which a child of the tests may have been born to ignore.
        defer { if server.isRunning { kill(server.processIdentifier, SIGKILL) } }
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let port = line.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(try status("http", port, "/ready") == 0)
        #expect(try status("http", port, "/other") != 0)
        #expect(try status("port", port) == 0)
        kill(server.processIdentifier, SIGKILL)
        server.waitUntilExit()
        #expect(try status("http", port, "/ready") != 0)
        #expect(try status("port", port) != 0)
    }

    /// Says the port that it listens on; only `/ready` is well.
    private static let server = """
        import http.server
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/ready" else 503)
                self.end_headers()
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        print(server.server_port)
        server.serve_forever()
        """
}
