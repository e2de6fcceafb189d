import Foundation
import TestSupport
import Testing

/// A finished run of the command `warren`.
struct WarrenCommand: Sendable {
    let status: Int32
    let output: String

    /// Runs the command and waits for its exit.
    static func run(_ arguments: [String]) async throws -> WarrenCommand {
        try await onThreads { try WarrenCommand(arguments) }
    }

    private init(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = try Self.program("warren")
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let bytes = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        status = process.terminationStatus
        output = String(decoding: bytes, as: UTF8.self)
    }

    /// Returns the path of a built program, which is beside the tests.
    static func program(_ name: String) throws -> URL {
        try #require(CommandLine.arguments.first.map { URL(filePath: $0) })
            .deletingLastPathComponent().appending(path: name)
    }

    /// Runs a test with a path at which no directory exists; removes the directory afterwards.
    static func withDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "warren-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await body(directory)
    }
}
