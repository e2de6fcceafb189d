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
        process.executableURL = URL(filePath: try builtProgram("warren"))
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

    /// Runs a test with a path at which no directory exists; removes the directory afterwards.
    static func withDirectory(_ body: (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try await body(folder.path("keys"))
    }
}
