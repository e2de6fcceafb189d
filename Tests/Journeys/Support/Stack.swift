import AMQP
import BrokerSupport
import Foundation
import Glibc
import TestSupport

/// The stack under test, as `compose/local` started it: its processes, secrets and queues.
struct Stack: Sendable {
    /// The directory with pids, logs and secrets (`WARREN_STATE`).
    let state: String

    init() throws {
        state = try TestEnvironment.value("WARREN_STATE")
    }

    static let daemons = ["ingress"] + workers
    static let workers = ["identity", "post", "media", "search"]

    /// Returns a secret of the stack, such as `post-amqp.url`.
    func secret(_ name: String) throws -> String {
        try String(contentsOfFile: "\(state)/secrets/\(name)", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    // MARK: compose/local

    /// Runs a command of `compose/local` on this stack and returns its output.
    @discardableResult func composeLocal(_ arguments: String...) async throws -> String {
        try await Program(path: RepositoryFile("compose/local").path, arguments: arguments).runSuccessfully()
    }

    /// Starts or stops processes of a service until `count` of them run and are ready.
    func scale(_ service: String, _ count: Int) async throws {
        try await composeLocal("scale", service, String(count))
    }

    /// Returns the output of `rabbitmqctl`, without its heading.
    func rabbitmqctl(_ arguments: String...) async throws -> String {
        try await Program(path: RepositoryFile("compose/local").path, arguments: ["rabbitmqctl", "-q"] + arguments)
            .runSuccessfully()
    }

    // MARK: Queues

    /// Returns the number of ready messages in a queue.
    ///
    /// The number comes from the queue over AMQP, because the counts of `rabbitmqctl` can be some seconds old.
    func depth(of queue: String) async throws -> Int {
        let address = try BrokerAddress(url: TestEnvironment.value("WARREN_OPERATOR_URL"))
        return try await Provisioner(address: address).depth(ofQueue: queue).ready
    }

    // MARK: Processes

    /// Returns the pid of a process such as `post-1`.
    func pid(_ name: String) throws -> pid_t {
        let text = try String(contentsOfFile: "\(state)/run/\(name).pid", encoding: .utf8)
        guard let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)), pid > 1 else {
            throw Program.Failure(description: "\(name).pid does not contain a pid: \(text)")
        }
        return pid
    }

    /// Sends a signal to a process of the stack and waits until the process has ended.
    ///
    /// - Throws: ``Program/Failure`` if the process does not run, or still runs 30 s later.
    func kill(_ name: String, with signal: Int32) async throws {
        let pid = try pid(name)
        guard Glibc.kill(pid, signal) == 0 else { throw Program.Failure(description: "\(name) does not run") }
        guard try await eventually(within: .seconds(30), { !Self.isAlive(pid) }) else {
            throw Program.Failure(description: "\(name) still runs 30 s after signal \(signal)")
        }
    }

    /// Returns whether a process runs. A zombie does not count as running.
    static func isAlive(_ pid: pid_t) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        guard let name = stat.lastIndex(of: ")") else { return false }
        return !stat[name...].hasPrefix(") Z")
    }

    /// Starts a copy of a process of the stack, as a child of the test.
    ///
    /// - Parameters:
    ///   - name: the process whose program and environment the copy gets, such as `ingress-1`.
    ///   - changes: variables that get another value; an empty value removes the variable.
    func startCopy(of name: String, _ changes: [String: String] = [:]) throws -> ChildProcess {
        let pid = try pid(name)
        let environ = try Data(contentsOf: URL(filePath: "/proc/\(pid)/environ"))
        var environment: [String: String] = [:]
        for entry in environ.split(separator: 0) {
            let parts = String(decoding: entry, as: UTF8.self).split(separator: "=", maxSplits: 1)
            if parts.count == 2 { environment[String(parts[0])] = String(parts[1]) }
        }
        // The copy must not touch the health file of the original.
        environment["WARREN_HEALTH_FILE"] = nil
        for (variable, value) in changes { environment[variable] = value.isEmpty ? nil : value }
        return try Program(path: try executable(of: name), environment: environment).start()
    }

    /// Returns the path of the executable of a process.
    func executable(of name: String) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(try pid(name))/exe")
    }

    /// Returns the path of the operator's command `warren`, which is built beside the daemons.
    func warrenCommand() throws -> String {
        URL(filePath: try executable(of: "identity-1")).deletingLastPathComponent().appending(path: "warren")
            .path(percentEncoded: false)
    }
}
