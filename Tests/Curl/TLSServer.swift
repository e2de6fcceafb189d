import Foundation
import Glibc
import TestSupport
import Testing

/// An HTTPS server with a self-signed certificate: `openssl s_server`.
struct TLSServer {
    let port: Int
    private let process: pid_t
    private let directory: URL

    @concurrent static func start() async throws -> TLSServer {
        let directory = FileManager.default.temporaryDirectory.appending(path: "warren-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let key = directory.appending(path: "key.pem").path
        let certificate = directory.appending(path: "certificate.pem").path
        let certificateRequest = try openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate,
        ])
        try #require(wait(for: certificateRequest) == 0)
        // openssl needs a port number. It gets a port that was free a moment ago.
        let probe = try HTTPServer()
        let port = probe.port
        probe.stop()
        let process = try openssl([
            "s_server", "-accept", "127.0.0.1:\(port)", "-cert", certificate, "-key", key, "-www", "-quiet",
        ])
        let isUp = try await eventually { () async throws in
            try wait(for: openssl(["s_client", "-connect", "127.0.0.1:\(port)"])) == 0
        }
        try #require(isUp)
        return TLSServer(port: port, process: process, directory: directory)
    }

    func stop() {
        // SIGKILL is used, because the process inherits the signal mask of the thread that started it, and this mask
        // may block SIGTERM.
        kill(process, SIGKILL)
        _ = Self.wait(for: process)
        try? FileManager.default.removeItem(at: directory)
    }

    private static func wait(for process: pid_t) -> Int32 {
        var status: Int32 = -1
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status
    }

    private static func openssl(_ arguments: [String]) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var words: [UnsafeMutablePointer<CChar>?] = (["openssl"] + arguments).map { strdup($0) }
        defer { words.forEach { free($0) } }
        words.append(nil)
        var process: pid_t = 0
        let code = posix_spawnp(&process, "openssl", &actions, nil, words, environ)
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO) }
        return process
    }
}
