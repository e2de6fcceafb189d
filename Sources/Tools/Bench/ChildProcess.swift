import Glibc
import LocalStack
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
        var program = Program(path: path, arguments: arguments)
        program.environment.merge(environment) { $1 }
        let spawned = Result { () throws(Program.Failure) in
            let output = Program.StandardStream.descriptor(fromChild[1])
            return try program.spawn(input: .descriptor(toChild[0]), output: output, errors: output)
        }
        close(toChild[0])
        close(fromChild[1])
        defer { close(fromChild[0]) }
        let pid: pid_t
        switch spawned {
        case .success(let child): pid = child
        case .failure(let failure):
            close(toChild[1])
            let hint = package.map { ": install the Debian package \($0)" } ?? ""
            return .failure(BenchError("cannot run \(failure)\(hint)"))
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
