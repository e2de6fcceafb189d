import AtomicFile
import BenchKit
import FoundationEssentials
import Glibc
import Reactor

/// Runs `wrk` and `warren-bench-raw`.
@Loop struct LoadGenerator {
    /// `wrk` counts a response that arrives later than this as a failure, in seconds. It is longer than every deadline
    /// of the ingress.
    private static let timeout = 20

    let stack: Stack
    /// The folder for the files that `wrk` reads. Only the bench's user can read it, because requests have tokens.
    private let folder: String

    init(stack: Stack) throws {
        self.stack = stack
        folder = "\(stack.folder)/bench"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        chmod(folder, 0o700)
        try AtomicFile("\(folder)/requests.lua", mode: 0o600).write(RequestList.script, replacing: true)
    }

    /// Deletes the files.
    func removeFiles() throws {
        try FileManager.default.removeItem(atPath: folder)
    }

    /// Sends the requests of a list again and again.
    ///
    /// - Returns: the result, and the CPU time of `wrk` in microseconds.
    /// - Throws: ``BenchError`` or `WrkResult.Malformed` if `wrk` fails, and ``BenchError`` if no request succeeds.
    func run(_ list: RequestList, connections: Int, seconds: Int) async throws -> (load: WrkResult, microseconds: Int) {
        let file = "\(folder)/requests"
        try AtomicFile(file, mode: 0o600).write(list.bytes, replacing: true)
        let exit = try await ChildProcess.run(
            "wrk",
            [
                "-t1", "-c\(connections)", "-d\(seconds)s", "--timeout", "\(Self.timeout)s", "-s",
                "\(folder)/requests.lua", stack.url, file,
            ], package: "wrk")
        let load = try WrkResult(output: exit.output)
        guard load.requests > load.failedResponses else {
            throw BenchError(
                "no request succeeded: \(load.failedResponses) responses with a status above 399, "
                    + "\(load.failedConnections) failed connections; the logs are in \(stack.folder)/log")
        }
        return (load, exit.microseconds)
    }

    /// Measures raw request-reply.
    func measureRaw(_ point: BenchResult.RawPoint, seconds: Int) async throws -> RawResult {
        let exit = try await ChildProcess.run(
            "\(stack.programs)/warren-bench-raw", [point.kind.rawValue, "\(point.inFlight)", "\(seconds)"])
        guard let result = RawResult(output: exit.output) else {
            throw BenchError("warren-bench-raw printed no result: \(exit.output)")
        }
        return result
    }
}
