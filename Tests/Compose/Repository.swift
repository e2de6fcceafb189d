import Foundation
import TestSupport
import Testing

/// The repository's files, and programs that run on them.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func path(_ name: String) -> String {
        root.appending(path: name).path(percentEncoded: false)
    }

    static func text(_ name: String) throws -> String {
        try String(contentsOfFile: path(name), encoding: .utf8)
    }

    /// Returns the text of all Swift files below a folder.
    static func sources(_ folder: String) throws -> String {
        let files = FileManager.default.enumerator(at: root.appending(path: folder), includingPropertiesForKeys: nil)
        return try (files?.allObjects ?? []).compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
            .map { try String(contentsOf: $0, encoding: .utf8) }.joined()
    }

    /// Returns the distinct texts that the first group of a regular expression matches.
    static func all(_ pattern: String, in text: String) throws -> Set<String> {
        let expression = try NSRegularExpression(pattern: pattern, options: .anchorsMatchLines)
        let whole = NSRange(text.startIndex..., in: text)
        return Set(
            expression.matches(in: text, range: whole).compactMap { match in
                Range(match.range(at: 1), in: text).map { String(text[$0]) }
            })
    }

    /// Returns the path of a built program, which is beside the tests' own executable.
    static func program(_ name: String) throws -> String {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: tests).deletingLastPathComponent().appending(path: name).path(percentEncoded: false)
    }

    /// The result of a program that has exited.
    struct Ended: Sendable {
        let status: Int32
        let output: Data
        let errors: String

        var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// Runs a program until it exits.
    static func run(_ path: String, _ arguments: [String], _ changes: [String: String] = [:]) async throws -> Ended {
        try await onThreads { try runBlocking(path, arguments, changes) }
    }

    private static func runBlocking(
        _ path: String, _ arguments: [String], _ changes: [String: String]
    ) throws -> Ended {
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
        let words = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Ended(status: process.terminationStatus, output: data, errors: String(decoding: words, as: UTF8.self))
    }

    /// Runs a bash script that has some parts of `compose/lib` loaded.
    static func runScript(_ script: String, parts: [String], state: String) async throws -> Ended {
        let sources = parts.map { "source '\(path("compose/lib/\($0).sh"))'\n" }.joined()
        return try await run("/bin/bash", ["-c", "set -euo pipefail\n\(sources)\(script)"], ["WARREN_STATE": state])
    }
}

/// A folder of one test, which is removed with the object.
final class TemporaryFolder {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "compose-\(UUID().uuidString)")

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    var path: String { folder.path(percentEncoded: false) }

    func path(_ name: String) -> String { folder.appending(path: name).path(percentEncoded: false) }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    }

    func write(_ text: String, to name: String) throws {
        try makeFolder((name as NSString).deletingLastPathComponent)
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    }

    func text(_ name: String) throws -> String {
        try String(contentsOfFile: path(name), encoding: .utf8)
    }

    /// Returns the paths of everything below a folder, relative to it.
    func contents(_ name: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path(name))
    }
}
