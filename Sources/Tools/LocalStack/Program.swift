internal import Foundation
internal import Glibc

/// A program to run: path, arguments and environment.
package struct Program: Sendable {
    /// The exit status and the whole output of a program.
    package struct Exit: Sendable {
        package let status: Int32
        package let output: String
        package let errors: String
    }

    /// The program could not be started, or did not end with status 0.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) {
            self.description = description
        }
    }

    package var path: String
    package var arguments: [String]
    /// The program's whole environment; by default that of this process.
    package var environment: [String: String]

    package init(
        path: String, arguments: [String] = [],
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
    }

    /// Runs the program until it exits, with any status.
    ///
    /// - Parameter limit: the time after which the program is killed.
    package func run(within limit: Duration = .seconds(90)) async throws -> Exit {
        let process = try start()
        defer { process.removeFiles() }
        let status = try await process.waitForExit(within: limit)
        return Exit(status: status, output: process.output, errors: process.errors)
    }

    /// Runs the program and returns its standard output.
    ///
    /// - Throws: ``Failure`` with the output if the exit status is not 0.
    @discardableResult package func runSuccessfully(within limit: Duration = .seconds(90)) async throws -> String {
        let exit = try await run(within: limit)
        guard exit.status == 0 else {
            throw Failure(description: "\(path) \(arguments) ended with \(exit.status): \(exit.output)\(exit.errors)")
        }
        return exit.output
    }

    /// Starts the program with its output in files.
    ///
    /// - Parameter errors: a file that gets standard error instead.
    ///
    /// Foundation's `Process` is not used, because it counts a program as running while any of its descendants runs,
    /// and `compose/local` starts daemons that outlive it.
    package func start(errors: String? = nil) throws -> ChildProcess {
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
            let own = folder.appending(path: name).path(percentEncoded: false)
            let file = descriptor == 2 ? errors ?? own : own
            posix_spawn_file_actions_addopen(&actions, descriptor, file, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        // Threads of Swift's runtime block signals, and a child would inherit this signal mask.
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        // Daemons that outlive this process must not keep its descriptors open.
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
