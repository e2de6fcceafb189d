import Foundation
import Glibc

/// A `cloudinary-local` process on a free port of loopback.
public final class LocalCloudinary {
    /// The account's API secret.
    public static let secret = "abcd"
    /// The account's API key.
    public static let key = "1234"

    /// The port of loopback that it listens on.
    public let port: Int
    /// The directory that keeps its files.
    public let scratch: Scratch
    private let process = Process()

    /// Starts the built executable and waits until it listens.
    public init(in scratch: Scratch, port: Int? = nil, _ options: String...) async throws {
        self.scratch = scratch
        self.port = try port ?? Self.freePort()
        try Data("\(Self.secret)\n".utf8).write(to: URL(filePath: scratch.path("secret")))
        _ = FileManager.default.createFile(atPath: scratch.path("log"), contents: nil)
        process.executableURL = try Self.executable()
        process.arguments = [
            "--address", "127.0.0.1:\(self.port)", "--cloud", "demo", "--key", Self.key, "--secret-file",
            scratch.path("secret"), "--directory", scratch.path("images"),
        ]
        process.arguments? += options
        process.standardError = FileHandle(forWritingAtPath: scratch.path("log"))
        try process.run()
        guard try await eventually({ isListening || !process.isRunning }), process.isRunning
        else { throw Failure(what: "cloudinary-local does not listen: \(log)") }
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// The process did not start or stop.
    struct Failure: Error {
        let what: String
    }

    /// Starts a server. Tries another port if the chosen one was taken in the meantime.
    private static func start(in scratch: Scratch) async throws -> LocalCloudinary {
        for _ in 0..<2 {
            if let server = try? await LocalCloudinary(in: scratch) { return server }
        }
        return try await LocalCloudinary(in: scratch)
    }

    /// Runs a test with a server of its own, then stops the server and deletes its files.
    public static func run<Result>(_ body: (LocalCloudinary) async throws -> Result) async throws -> Result {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let server = try await start(in: scratch)
        let result = try await body(server)
        _ = try await server.stop()
        return result
    }

    /// The server's log so far.
    public var log: String {
        String(decoding: FileManager.default.contents(atPath: scratch.path("log")) ?? Data(), as: UTF8.self)
    }

    /// Sends SIGTERM, waits for the process to end and returns its exit status.
    public func stop() async throws -> Int32 {
        process.terminate()
        guard try await eventually({ !process.isRunning }) else { throw Failure(what: "it did not stop") }
        return process.terminationReason == .exit ? process.terminationStatus : -1
    }

    /// Kills the process with SIGKILL.
    public func crash() async throws {
        kill(process.processIdentifier, SIGKILL)
        guard try await eventually({ !process.isRunning }) else { throw Failure(what: "it did not die") }
    }

    /// Returns the URL of a path of the server.
    public func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    private static func executable() throws -> URL {
        // The tests' executable is in the folder of the built products.
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let product = URL(filePath: tests).deletingLastPathComponent().appending(path: "cloudinary-local")
        guard FileManager.default.isExecutableFile(atPath: product.path()) else {
            throw Failure(what: "there is no built product at \(product.path())")
        }
        return product
    }

    private static func freePort() throws -> Int {
        try withSocket(port: 0) { descriptor, address, length in
            guard bind(descriptor, address, length) == 0 else { throw Failure(what: "no free port") }
            var length = length
            getsockname(descriptor, address, &length)
            return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                Int(UInt16(bigEndian: $0.pointee.sin_port))
            }
        }
    }

    private var isListening: Bool {
        Self.withSocket(port: port) { connect($0, $1, $2) == 0 }
    }

    /// Runs a body with a new TCP socket and a loopback address.
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
