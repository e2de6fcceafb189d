import Foundation
import Glibc
import TestSupport

/// A Redis server of one test. It listens on 127.0.0.1 and saves its data only if the test sends `SAVE`.
final class LocalRedis {
    /// The server did not stop.
    struct Failure: Error {}

    let port: Int
    private let process = Process()

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - folder: the folder of the server's snapshot. The server loads the snapshot if there is one.
    ///   - options: further options, such as `["--maxmemory", "2mb"]`.
    init(in folder: TemporaryFolder, port: Int, _ options: [String] = []) throws {
        self.port = port
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["redis-server", "--bind", "127.0.0.1", "--port", "\(port)", "--save", "", "--dir", folder.path("")]
            + options
        process.standardOutput = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// The server's address.
    var url: String { "redis://127.0.0.1:\(port)" }

    /// Kills the server, so that it does not save its data.
    func stop() async throws {
        kill(process.processIdentifier, SIGKILL)
        guard try await eventually({ !process.isRunning }) else { throw Failure() }
    }
}
