import Foundation
import TestSupport
import Testing

/// Reads the repository's files, and runs its programs and scripts.
enum Repository {
    static func path(_ name: String) -> String {
        RepositoryFile(name).path
    }

    static func text(_ name: String) throws -> String {
        try RepositoryFile(name).text
    }

    /// Returns the text of all Swift files below a folder.
    static func sources(_ folder: String) throws -> String {
        let files = FileManager.default.enumerator(at: RepositoryFile(folder).url, includingPropertiesForKeys: nil)
        return try (files?.allObjects ?? []).compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
            .map { try String(contentsOf: $0, encoding: .utf8) }.joined()
    }

    /// Returns the distinct texts that the first group of a regular expression matches. `^` and `$` match at lines.
    static func all(_ pattern: String, in text: String) throws -> Set<String> {
        let expression = try NSRegularExpression(pattern: pattern, options: .anchorsMatchLines)
        let whole = NSRange(text.startIndex..., in: text)
        return Set(
            expression.matches(in: text, range: whole).compactMap { match in
                Range(match.range(at: 1), in: text).map { String(text[$0]) }
            })
    }

    /// The result of a program that has exited.
    struct ProgramResult: Sendable {
        let status: Int32
        let output: Data
        let errors: String

        var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// Runs a program until it exits.
    ///
    /// - Parameter changes: variables that are set in addition to the test's environment.
    static func run(
        _ path: String, _ arguments: [String], _ changes: [String: String] = [:]
    ) async throws -> ProgramResult {
        try await onThreads { try runBlocking(path, arguments, changes) }
    }

    private static func runBlocking(
        _ path: String, _ arguments: [String], _ changes: [String: String]
    ) throws -> ProgramResult {
        let (output, errors) = (Pipe(), Pipe())
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(changes) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        let errorText = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return ProgramResult(status: process.terminationStatus, output: data, errors: errorText)
    }

    /// Runs a bash script that can call the functions of some files of `compose/lib`.
    ///
    /// - Parameters:
    ///   - parts: the names of the files, without `.sh`.
    ///   - state: the stack's folder (`WARREN_STATE`).
    static func runScript(_ script: String, parts: [String], state: String) async throws -> ProgramResult {
        let sources = parts.map { "source '\(path("compose/lib/\($0).sh"))'\n" }.joined()
        return try await run("/bin/bash", ["-c", "set -euo pipefail\n\(sources)\(script)"], ["WARREN_STATE": state])
    }
}
