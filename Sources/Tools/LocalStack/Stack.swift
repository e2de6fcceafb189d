internal import Foundation
package import Glibc
internal import Reactor

/// A stack that `compose/local` has started: its processes and secrets.
package struct Stack: Sendable {
    /// The folder with pids, logs and secrets (`WARREN_STATE`).
    package let state: String
    /// The path of `compose/local`. `WARREN_STATE` must be set in this process's environment, so that the script uses
    /// this stack.
    package let script: String

    package init(state: String, script: String) {
        self.state = state
        self.script = script
    }

    package static let daemons = ["ingress"] + workers
    package static let workers = ["identity", "post", "media", "search"]

    /// Returns a secret of the stack, such as `post-amqp.url`.
    package func secret(_ name: String) throws -> String {
        try String(contentsOfFile: "\(state)/secrets/\(name)", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    // MARK: compose/local

    /// Runs a command of `compose/local` on this stack and returns its output.
    @discardableResult package func composeLocal(_ arguments: String...) async throws -> String {
        // In a cluster, the script waits up to 10 s for the port mapper, 120 s for PostgreSQL and Redis, 120 s for the
        // brokers, and 60 s until they have joined: 310 s. The rest is for the commands that it runs.
        try await Program(path: script, arguments: arguments).runSuccessfully(within: .seconds(420))
    }

    /// Starts or stops processes of a service until `count` of them run and are ready.
    package func scale(_ service: String, _ count: Int) async throws {
        try await composeLocal("scale", service, String(count))
    }

    /// Returns the output of `rabbitmqctl`, without its heading.
    package func rabbitmqctl(_ arguments: String...) async throws -> String { try await rabbitmqctl(arguments) }

    package func rabbitmqctl(_ arguments: [String]) async throws -> String {
        try await Program(path: script, arguments: ["rabbitmqctl", "-q"] + arguments).runSuccessfully()
    }

    // MARK: Processes

    /// Returns the pid of a process such as `post-1`, which may have exited.
    ///
    /// - Throws: an error if the stack has not started it, and ``Program/Failure`` if a later process has the same pid.
    package func pid(_ name: String) throws -> pid_t {
        let text = try String(contentsOfFile: "\(state)/run/\(name).pid", encoding: .utf8)
        guard let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)), pid > 1 else {
            throw Program.Failure(description: "\(name).pid does not contain a pid: \(text)")
        }
        let born = try String(contentsOfFile: "\(state)/run/\(name).born", encoding: .utf8)
        if let time = Self.stat(pid)?.startTime, time != born.trimmingCharacters(in: .whitespacesAndNewlines) {
            throw Program.Failure(description: "\(name) does not run: another process has its pid \(pid)")
        }
        return pid
    }

    /// Sends a signal to a process of the stack and waits until the process has ended.
    ///
    /// - Throws: ``Program/Failure`` if the process does not run, or still runs 40 s later.
    package func kill(_ name: String, with signal: Int32) async throws {
        let pid = try pid(name)
        guard Glibc.kill(pid, signal) == 0 else { throw Program.Failure(description: "\(name) does not run") }
        let deadline = ContinuousClock.now + .seconds(40)
        while Self.isAlive(pid) {
            guard .now < deadline else {
                throw Program.Failure(description: "\(name) still runs 40 s after signal \(signal)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Returns whether a process runs. A zombie does not count as running.
    package static func isAlive(_ pid: pid_t) -> Bool { stat(pid).map { $0.state != "Z" } ?? false }

    /// Reads the state and the start time, in clock ticks since boot, of a process (proc(5)); `nil` if it does not
    /// exist.
    private static func stat(_ pid: pid_t) -> (state: Substring, startTime: Substring)? {
        guard let line = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            // The second field is the program's name in parentheses, which can contain spaces and parentheses.
            let name = line.lastIndex(of: ")")
        else { return nil }
        let fields = line[name...].split(separator: " ").dropFirst()
        guard let state = fields.first, fields.count > 19 else { return nil }
        return (state, fields[fields.startIndex + 19])
    }

    /// Starts a copy of a process of the stack, as a child of this process.
    ///
    /// - Parameters:
    ///   - changes: as for ``program(of:_:)``.
    ///   - errors: a file that gets standard error; `nil` for ``ChildProcess/errors``.
    package func startCopy(
        of name: String, _ changes: [String: String] = [:], errors: String? = nil
    ) throws -> ChildProcess {
        try program(of: name, changes).start(errors: errors)
    }

    /// Returns the program of a running process of the stack, with its environment.
    ///
    /// - Parameters:
    ///   - name: the process, such as `ingress-1`.
    ///   - changes: variables that get another value; an empty value removes the variable.
    package func program(of name: String, _ changes: [String: String] = [:]) throws -> Program {
        let pid = try pid(name)
        let environ = try Data(contentsOf: URL(filePath: "/proc/\(pid)/environ"))
        var environment: [String: String] = [:]
        for entry in environ.split(separator: 0) {
            let parts = String(decoding: entry, as: UTF8.self)
                .split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { environment[String(parts[0])] = String(parts[1]) }
        }
        // A copy must not touch the health file of the original.
        environment["WARREN_HEALTH_FILE"] = nil
        for (variable, value) in changes { environment[variable] = value.isEmpty ? nil : value }
        return Program(path: try executable(of: name), environment: environment)
    }

    /// Returns the path of the executable of a process.
    package func executable(of name: String) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(try pid(name))/exe")
    }
}
