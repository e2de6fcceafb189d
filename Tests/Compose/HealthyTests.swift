import Foundation
import TestSupport
import Testing

@Suite("Health check script")
struct HealthyTests {
    private func status(_ arguments: String..., file: String = "") async throws -> Int32 {
        try await Repository.run(Repository.path("compose/healthy"), arguments, ["WARREN_HEALTH_FILE": file]).status
    }

    @Test("the health check of a file succeeds if the file was touched within 10 s, and fails if it is old or missing")
    func file() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("healthy")
        #expect(try await status("file", file: path) != 0)
        try folder.write("", to: "healthy")
        #expect(try await status("file", file: path) == 0)
        let old = [FileAttributeKey.modificationDate: Date(timeIntervalSinceNow: -20)]
        try FileManager.default.setAttributes(old, ofItemAtPath: path)
        #expect(try await status("file", file: path) != 0)
    }

    @Test("the health check over HTTP succeeds only for status 200, and that of a port only while a process listens")
    func http() async throws {
        let server = try HTTPServer()
        #expect(try await status("http", server.port, "/ready") == 0)
        #expect(try await status("http", server.port, "/other") != 0)
        #expect(try await status("port", server.port) == 0)
        server.stop()
        #expect(try await status("http", server.port, "/ready") != 0)
        #expect(try await status("port", server.port) != 0)
    }
}
