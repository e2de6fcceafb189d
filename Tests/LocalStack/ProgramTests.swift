import Foundation
import Glibc
import LocalStack
import TestSupport
import Testing

@Suite("Programs and processes of a stack")
struct ProgramTests {
    private func shell(_ script: String) -> Program { Program(path: "sh", arguments: ["-c", script]) }

    @Test("a program's status and output are returned, and one without a path is found in PATH")
    func exit() async throws {
        let exit = try await shell("echo out; echo err >&2; exit 3").run()
        #expect(exit.status == 3 && exit.output == "out\n" && exit.errors == "err\n")
        #expect(try await shell("kill -9 $$").run().status == 137)
    }

    @Test("a program that does not exist cannot be started")
    func missing() {
        #expect(throws: Program.Failure.self) { try Program(path: "/nonexistent/program").start() }
    }

    @Test("a program gets the standard descriptors only, and no blocked or ignored signal")
    func descriptors() async throws {
        let file = open("/dev/null", O_RDONLY)
        let inheritable = fcntl(file, F_DUPFD, 100)
        defer { for descriptor in [file, inheritable] { close(descriptor) } }
        // `ls` opens the folder that it lists.
        let listed = try await Program(path: "ls", arguments: ["/proc/self/fd"]).runSuccessfully()
        #expect(listed == "0\n1\n2\n3\n")
        let masks = try await Program(path: "awk", arguments: ["/^Sig(Blk|Ign)/ { print $2 }", "/proc/self/status"])
            .runSuccessfully().split(separator: "\n").map { UInt64($0, radix: 16) ?? .max }
        // posix_spawn(3) ignores the signals 32 and 33, which glibc uses itself.
        #expect(masks.count == 2 && masks.allSatisfy { $0 & 0x7FFF_FFFF == 0 }, "\(masks)")
    }

    @Test("a program can use descriptors of this process as its standard streams")
    func streams() throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        let pid = try shell("echo out; echo err >&2").spawn(
            output: .descriptor(ends[1]), errors: .descriptor(ends[1]))
        close(ends[1])
        var status: Int32 = -1
        #expect(waitpid(pid, &status, 0) == pid && status == 0)
        var buffer = [UInt8](repeating: 0, count: 100)
        let count = read(ends[0], &buffer, buffer.count)
        #expect(String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self) == "out\nerr\n")
        close(ends[0])
    }

    // MARK: Processes of a stack

    /// Starts a process, and writes its files as `compose/local` does.
    private func withProcess(
        in state: TemporaryFolder, _ environment: [String: String] = [:],
        _ body: (Stack, ChildProcess, _ born: String) throws -> Void
    ) async throws {
        let process = try Program(path: "/bin/sleep", arguments: ["60"], environment: environment).start()
        defer { process.removeFiles() }
        let stat = try #require(try? String(contentsOfFile: "/proc/\(process.pid)/stat", encoding: .utf8))
        let born = String(stat.split(separator: " ")[21])
        try state.write("\(process.pid)\n", to: "run/post-1.pid")
        try state.write(born, to: "run/post-1.born")
        let result = Result { try body(Stack(state: state.path, script: ""), process, born) }
        process.send(SIGKILL)
        _ = try await process.waitForExit()
        try result.get()
    }

    @Test("the pid of a process is returned, unless a later process has the same pid")
    func pids() async throws {
        let state = try TemporaryFolder()
        try await withProcess(in: state) { stack, process, born in
            #expect(try stack.pid("post-1") == process.pid)
            #expect(Stack.isAlive(process.pid))
            try state.write("1", to: "run/post-1.born")
            #expect(throws: Program.Failure.self) { try stack.pid("post-1") }
            try state.write(born, to: "run/post-1.born")
        }
        // The process has exited, and its files are still there.
        let pid = try Stack(state: state.path, script: "").pid("post-1")
        #expect(!Stack.isAlive(pid))
    }

    @Test("the copy of a process has its empty variables, and not those that are removed")
    func environment() async throws {
        let state = try TemporaryFolder()
        let variables = ["EMPTY": "", "EQUALS": "a=b", "REMOVED": "1", "WARREN_HEALTH_FILE": "/x"]
        try await withProcess(in: state, variables) { stack, _, _ in
            let copy = try stack.program(of: "post-1", ["REMOVED": "", "ADDED": "2"])
            #expect(copy.environment == ["EMPTY": "", "EQUALS": "a=b", "ADDED": "2"])
        }
    }
}
