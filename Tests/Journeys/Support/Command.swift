import Foundation
import Glibc

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

    /// Runs the program to its end.
    func run() async throws -> Ended {
        let started = try start()
        defer { started.removeFiles() }
        let status = try await started.ended()
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

    /// Starts the program; its words go to files.
    ///
    /// Not by way of Foundation's `Process`, which takes a program for running as long as anything that it has started
    /// runs: `compose/local` starts daemons that stay.
    func start() throws -> Started {
        let folder = FileManager.default.temporaryDirectory.appending(path: "warren-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        for (descriptor, name) in [(Int32(1), "output"), (2, "errors")] {
            let file = folder.appending(path: name).path(percentEncoded: false)
            posix_spawn_file_actions_addopen(&actions, descriptor, file, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        // Threads of Swift's runtime block signals, and a child would go on doing so.
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        // Daemons that stay must not hold on to what the test has open.
        for descriptor in Int32(3)..<1024 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        let pid = try Self.withStrings([path] + arguments) { argv in
            try Self.withStrings(environment.map { "\($0)=\($1)" }) { environment in
                var pid = pid_t()
                let code = posix_spawn(&pid, path, &actions, &attributes, argv, environment)
                guard code == 0 else { throw Failed(description: "\(path): \(String(cString: strerror(code)))") }
                return pid
            }
        }
        return Started(pid: pid, folder: folder, healthFile: environment["WARREN_HEALTH_FILE"])
    }

    /// Lends texts as C has them: an array of pointers with a null at its end.
    private static func withStrings<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) throws -> Result
    ) rethrows -> Result {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return try body(copies + [nil])
    }
}

/// A program that runs, as a child of the test.
struct Started: Sendable {
    let pid: pid_t
    fileprivate let folder: URL
    fileprivate let healthFile: String?

    /// Whether the worker has its health file, which appears when it is ready.
    var isReady: Bool { healthFile.map { FileManager.default.fileExists(atPath: $0) } ?? false }

    var output: String { text("output") }
    var errors: String { text("errors") }

    /// Sends it a signal; not to be called once it has ended.
    func signal(_ signal: Int32) {
        kill(pid, signal)
    }

    /// Waits for its end, once.
    ///
    /// - Parameter limit: how long it may run before it is killed.
    /// - Returns: the exit status; 128 and the signal's number where one ended it, as a shell says it.
    func ended(within limit: Duration = .seconds(90)) async throws -> Int32 {
        let end = ContinuousClock.now + limit
        var isKilled = false
        while true {
            var status: Int32 = 0
            let ended = waitpid(pid, &status, WNOHANG)
            // The lower seven bits have the signal, the next byte the status (wait(2)).
            if ended == pid { return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f }
            guard ended == 0 else { throw Command.Failed(description: "waitpid: \(String(cString: strerror(errno)))") }
            if !isKilled, ContinuousClock.now > end {
                isKilled = true
                signal(SIGKILL)
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    func removeFiles() {
        try? FileManager.default.removeItem(at: folder)
        if let healthFile { try? FileManager.default.removeItem(atPath: healthFile) }
    }

    private func text(_ name: String) -> String {
        (try? String(contentsOf: folder.appending(path: name), encoding: .utf8)) ?? ""
    }
}
