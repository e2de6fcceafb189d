import Foundation
import Glibc

/// A program to run: path, arguments and environment.
struct Program: Sendable {
    /// The exit status and the whole output of a program.
    struct Exit: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    /// The program could not be started, or did not end with status 0.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    var path: String
    var arguments: [String] = []
    /// The program's whole environment; by default the test's environment.
    var environment: [String: String] = ProcessInfo.processInfo.environment

    /// Runs the program until it exits, with any status.
    func run() async throws -> Exit {
        let process = try start()
        defer { process.removeFiles() }
        let status = try await process.waitForExit()
        return Exit(status: status, output: process.output, errors: process.errors)
    }

    /// Runs the program and returns its standard output.
    ///
    /// - Throws: ``Failure`` with the output if the exit status is not 0.
    @discardableResult func runSuccessfully() async throws -> String {
        let exit = try await run()
        guard exit.status == 0 else {
            throw Failure(description: "\(path) \(arguments) ended with \(exit.status): \(exit.output)\(exit.errors)")
        }
        return exit.output
    }

    /// Starts the program with its output in files.
    ///
    /// Foundation's `Process` is not used, because it counts a program as running while any of its descendants runs,
    /// and `compose/local` starts daemons that outlive it.
    func start() throws -> ChildProcess {
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
        // Threads of Swift's runtime block signals, and a child would inherit this signal mask.
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        // Daemons that outlive the test must not keep its descriptors open.
        for descriptor in Int32(3)..<1024 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        let pid = try Self.withCStrings([path] + arguments) { argv in
            try Self.withCStrings(environment.map { "\($0)=\($1)" }) { environment in
                var pid = pid_t()
                let code = posix_spawn(&pid, path, &actions, &attributes, argv, environment)
                guard code == 0 else { throw Failure(description: "\(path): \(String(cString: strerror(code)))") }
                return pid
            }
        }
        return ChildProcess(pid: pid, folder: folder)
    }

    /// Passes strings as a null-terminated array of C strings, which is valid inside the closure only.
    private static func withCStrings<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) throws -> Result
    ) rethrows -> Result {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return try body(copies + [nil])
    }
}

/// A running program, as a child process of the test.
struct ChildProcess: Sendable {
    let pid: pid_t
    fileprivate let folder: URL

    /// Standard output so far.
    var output: String { text("output") }
    /// Standard error so far.
    var errors: String { text("errors") }

    /// Sends a signal. Do not call this after ``waitForExit(within:)``, because the pid may then belong to another
    /// process.
    func send(_ signal: Int32) {
        kill(pid, signal)
    }

    /// Waits until the process exits. Call this once.
    ///
    /// - Parameter limit: the time after which the process is killed.
    /// - Returns: the exit status; 128 plus the signal's number if a signal ended the process, as in a shell.
    func waitForExit(within limit: Duration = .seconds(90)) async throws -> Int32 {
        let end = ContinuousClock.now + limit
        var isKilled = false
        while true {
            var status: Int32 = 0
            let ended = waitpid(pid, &status, WNOHANG)
            // The lower seven bits have the signal, the next byte the status (wait(2)).
            if ended == pid { return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f }
            guard ended == 0 else { throw Program.Failure(description: "waitpid: \(String(cString: strerror(errno)))") }
            if !isKilled, ContinuousClock.now > end {
                isKilled = true
                send(SIGKILL)
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Deletes the files that contain the output.
    func removeFiles() {
        try? FileManager.default.removeItem(at: folder)
    }

    private func text(_ name: String) -> String {
        (try? String(contentsOf: folder.appending(path: name), encoding: .utf8)) ?? ""
    }
}
