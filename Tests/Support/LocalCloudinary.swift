import FaultProxy
import Foundation
import Glibc

/// A process of `cloudinary-local`, the replacement for Cloudinary in development and tests. It listens on 127.0.0.1.
public final class LocalCloudinary {
    /// The account's API secret.
    public static let secret = "abcd"
    /// The account's API key.
    public static let key = "1234"

    /// The port that the process listens on.
    public let port: Int
    /// The folder with the process's files.
    public let folder: TemporaryFolder
    private let process = Process()

    /// Starts the built executable and waits until it listens.
    ///
    /// - Parameters:
    ///   - folder: the folder for the files of the process.
    ///   - port: the port to listen on; by default a free port.
    ///   - options: further command-line options.
    public init(in folder: TemporaryFolder, port: Int? = nil, _ options: String...) async throws {
        self.folder = folder
        self.port = try port ?? freePort()
        try Data("\(Self.secret)\n".utf8).write(to: URL(filePath: folder.path("secret")))
        _ = FileManager.default.createFile(atPath: folder.path("log"), contents: nil)
        process.executableURL = URL(filePath: try builtProgram("cloudinary-local"))
        process.arguments = [
            "--address", "127.0.0.1:\(self.port)", "--cloud", "demo", "--key", Self.key, "--secret-file",
            folder.path("secret"), "--directory", folder.path("images"),
        ]
        process.arguments? += options
        process.standardError = FileHandle(forWritingAtPath: folder.path("log"))
        try process.run()
        guard try await eventually({ isListening || !process.isRunning }), process.isRunning
        else { throw Failure(description: "cloudinary-local does not listen on port \(self.port): \(log)") }
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// The process did not start or did not stop.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Starts a server. Tries other ports, because another process can take the chosen port first.
    private static func start(in folder: TemporaryFolder) async throws -> LocalCloudinary {
        for _ in 0..<2 {
            if let server = try? await LocalCloudinary(in: folder) { return server }
        }
        return try await LocalCloudinary(in: folder)
    }

    /// Runs a test with a server of its own, then stops the server and deletes its files.
    public static func run<Result>(_ body: (LocalCloudinary) async throws -> Result) async throws -> Result {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let server = try await start(in: folder)
        let result = try await body(server)
        _ = try await server.stop()
        return result
    }

    /// The server's log so far.
    public var log: String {
        String(decoding: FileManager.default.contents(atPath: folder.path("log")) ?? Data(), as: UTF8.self)
    }

    /// Sends SIGTERM if the process still runs, and waits for the process to end. Returns its exit status, or -1 if
    /// a signal ended it.
    public func stop() async throws -> Int32 {
        if process.isRunning { process.terminate() }
        guard try await eventually({ !process.isRunning }) else {
            throw Failure(description: "cloudinary-local still runs after SIGTERM")
        }
        return process.terminationReason == .exit ? process.terminationStatus : -1
    }

    /// Kills the process with SIGKILL.
    public func crash() async throws {
        kill(process.processIdentifier, SIGKILL)
        guard try await eventually({ !process.isRunning }) else {
            throw Failure(description: "cloudinary-local still runs after SIGKILL")
        }
    }

    /// Returns the URL of a path on the server.
    public func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    private var isListening: Bool {
        Self.withSocket(port: port) { connect($0, $1, $2) == 0 }
    }

    /// Runs a body with a new TCP socket, and the loopback address with a port.
    private static func withSocket<Result>(
        port: Int, _ body: (Int32, UnsafeMutablePointer<sockaddr>, socklen_t) throws -> Result
    ) rethrows -> Result {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return try withUnsafeMutablePointer(to: &address) {
            try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
