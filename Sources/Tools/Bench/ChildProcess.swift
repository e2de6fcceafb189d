import Glibc
import Reactor

/// Runs programs as children. They stay in the process group of the bench, so that the signal that ends the bench ends
/// them too.
enum ChildProcess {
    /// The end of a program.
    struct Exit: Sendable {
        /// The exit status; 128 plus the signal's number if a signal ended the program, as in a shell.
        let status: Int32
        /// Standard output and standard error.
        let output: String
        /// The CPU time of the program and of its children, in microseconds.
        let microseconds: Int
    }

    /// Runs a program until it exits.
    ///
    /// - Parameters:
    ///   - path: the path of the program, or its name in a folder of `PATH`.
    ///   - package: the Debian package that contains the program.
    ///   - environment: variables that the program gets besides those of the bench.
    ///   - input: makes a function that returns the next part of standard input; `nil` at the end.
    /// - Throws: ``BenchError`` if the program cannot be started, and with the output if the exit status is not 0.
    // Swift 6.3 crashes when it inlines this function.
    @inline(never)
    @Loop @discardableResult static func run(
        _ path: String, _ arguments: [String], package: String? = nil, environment: [String: String] = [:],
        input: (@Sendable () -> (() -> [UInt8]?))? = nil
    ) async throws -> Exit {
        switch await onOwnThread({ runBlocking(path, arguments, package, environment, input?()) }) {
        case nil: throw BenchError("\(path): no thread can be created")
        case .failure(let error): throw error
        case .success(let exit) where exit.status != 0:
            throw BenchError("\(path) ended with status \(exit.status):\n\(exit.output)")
        case .success(let exit): return exit
        }
    }

    private static func runBlocking(
        _ path: String, _ arguments: [String], _ package: String?, _ environment: [String: String],
        _ input: (() -> [UInt8]?)?
    ) -> Result<Exit, BenchError> {
        var (toChild, fromChild): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
        guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else {
            return .failure(BenchError("pipe: \(String(cString: strerror(errno)))"))
        }
        // Close-on-exec: a child that inherited the write end of its own standard input would never see end of file.
        for descriptor in toChild + fromChild { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var pid = pid_t()
        let code = spawn(&pid, [path] + arguments, environment, input: toChild[0], output: fromChild[1])
        close(toChild[0])
        close(fromChild[1])
        defer { close(fromChild[0]) }
        guard code == 0 else {
            close(toChild[1])
            let hint = package.map { ": install the Debian package \($0)" } ?? ""
            return .failure(BenchError("cannot run \(path): \(String(cString: strerror(code)))\(hint)"))
        }
        // If the program ends before it has read everything, its status tells why.
        while let bytes = input?(), writeAll(bytes, to: toChild[1]) {}
        close(toChild[1])
        let output = readAll(from: fromChild[0])
        var status: Int32 = 0
        var use = rusage()
        while wait4(pid, &status, 0, &use) < 0, errno == EINTR {}
        let time = [use.ru_utime, use.ru_stime].map { Int($0.tv_sec) * 1_000_000 + Int($0.tv_usec) }.reduce(0, +)
        // The lower seven bits have the signal, the next byte the status (wait(2)).
        let exitStatus = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
        return .success(Exit(status: exitStatus, output: output, microseconds: time))
    }

    private static func spawn(
        _ pid: inout pid_t, _ words: [String], _ environment: [String: String], input: Int32, output: Int32
    ) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
        // Threads of Swift's runtime may block signals, and the bench ignores SIGPIPE; a child would inherit both.
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let copies: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0)=\($1)") } + inheritedVariables(without: environment) + [nil]
        defer { for copy in copies + variables { free(copy) } }
        return posix_spawnp(&pid, words[0], &actions, &attributes, copies, variables)
    }

    private static func inheritedVariables(without names: [String: String]) -> [UnsafeMutablePointer<CChar>?] {
        var copies: [UnsafeMutablePointer<CChar>?] = []
        var next = environ
        while let entry = next.pointee {
            let name = String(cString: entry).prefix { $0 != "=" }
            if names[String(name)] == nil { copies.append(strdup(entry)) }
            next += 1
        }
        return copies
    }

    /// Writes bytes. Returns false if nobody reads them any more.
    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                write(descriptor, $0.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            written += count
        }
        return true
    }

    private static func readAll(from descriptor: Int32) -> String {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return String(decoding: output, as: UTF8.self) }
            output += buffer[..<count]
        }
    }
}
