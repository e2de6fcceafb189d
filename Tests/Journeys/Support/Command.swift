import Foundation
import Synchronization

/// A program that a test runs.
struct Command: Sendable {
    /// What a program left behind.
    struct Ended: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    /// A program that ended otherwise than it should have.
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    var path: String
    var arguments: [String] = []
    /// Replaces the test's own environment.
    var environment: [String: String] = ProcessInfo.processInfo.environment

    /// Runs the program to its end, off the loop.
    @concurrent func run() async throws -> Ended {
        let started = try start()
        let status = await started.ended()
        defer { started.removeFiles() }
        return Ended(status: status, output: started.output, errors: started.errors)
    }

    /// Runs the program and wants it to end with 0.
    @discardableResult func succeed() async throws -> String {
        let ended = try await run()
        guard ended.status == 0 else {
            throw Failed(description: "\(path) \(arguments) ended with \(ended.status): \(ended.output)\(ended.errors)")
        }
        return ended.output
    }

    /// Starts the program; its words go to files, since what it leaves running would keep a pipe open.
    func start() throws -> Started {
        let folder = FileManager.default.temporaryDirectory.appending(path: "warren-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        let (output, errors) = (folder.appending(path: "output"), folder.appending(path: "errors"))
        for file in [output, errors] { try Data().write(to: file) }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        let started = Started(process, folder: folder)
        try process.run()
        return started
    }
}

// Unchecked: Process is set up before it is shared and asked afterwards for its pid alone; the rest is behind a mutex.
/// A program that runs.
final class Started: @unchecked Sendable {
    private enum Progress {
        case running([CheckedContinuation<Int32, Never>])
        case ended(Int32)
    }

    private let process: Process
    private let folder: URL
    private let progress = Mutex(Progress.running([]))

    fileprivate init(_ process: Process, folder: URL) {
        self.process = process
        self.folder = folder
        process.terminationHandler = { [weak self] in self?.end($0.terminationStatus, $0.terminationReason) }
    }

    var pid: pid_t { process.processIdentifier }
    var output: String { (try? String(contentsOf: folder.appending(path: "output"), encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOf: folder.appending(path: "errors"), encoding: .utf8)) ?? "" }

    func signal(_ signal: Int32) {
        kill(pid, signal)
    }

    /// The exit status; 128 and the signal's number where one ended it, as a shell says it.
    func ended() async -> Int32 {
        await withCheckedContinuation { continuation in
            let status: Int32? = progress.withLock { progress in
                switch progress {
                case .ended(let status): return status
                case .running(let waiting):
                    progress = .running(waiting + [continuation])
                    return nil
                }
            }
            if let status { continuation.resume(returning: status) }
        }
    }

    func removeFiles() {
        try? FileManager.default.removeItem(at: folder)
    }

    private func end(_ status: Int32, _ reason: Process.TerminationReason) {
        let status = reason == .exit ? status : 128 + status
        let waiting: [CheckedContinuation<Int32, Never>] = progress.withLock { progress in
            defer { progress = .ended(status) }
            if case .running(let waiting) = progress { return waiting }
            return []
        }
        for continuation in waiting { continuation.resume(returning: status) }
    }
}
