import Foundation
import TestSupport

/// The stack that the tests run against, as `compose/local` keeps it.
struct Stack: Sendable {
    /// The folder with its pids, logs and secrets.
    let state: String

    init() throws {
        state = try TestEnvironment.value("WARREN_STATE")
    }

    /// Every daemon, in the order in which a request meets them.
    static let daemons = ["ingress", "identity", "post", "media", "search"]
    static let workers = ["identity", "post", "media", "search"]

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Where a file of the repository is.
    static func file(_ path: String) -> String {
        root.appending(path: path).path(percentEncoded: false)
    }

    // MARK: compose/local

    /// Runs a command of `compose/local` on this stack.
    @discardableResult func compose(_ arguments: String...) async throws -> String {
        try await Command(path: Self.file("compose/local"), arguments: arguments).succeed()
    }

    /// Has exactly so many processes of a service run, ready to work.
    func scale(_ service: String, _ count: Int) async throws {
        try await compose("scale", service, String(count))
    }

    /// What `rabbitmqctl` says, without its heading.
    func rabbitmqctl(_ arguments: String...) async throws -> String {
        try await Command(path: Self.file("compose/local"), arguments: ["rabbitmqctl", "-q"] + arguments).succeed()
    }

    // MARK: Processes

    /// The pid of a process such as `post-1`.
    func pid(_ name: String) throws -> pid_t {
        let text = try String(contentsOfFile: "\(state)/run/\(name).pid", encoding: .utf8)
        guard let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)), pid > 1 else {
            throw Command.Failed(description: "\(name).pid holds no pid: \(text)")
        }
        return pid
    }

    /// Sends a signal to a process of the stack and waits until it is gone.
    func end(_ name: String, _ signal: Int32) async throws {
        let pid = try pid(name)
        guard kill(pid, signal) == 0 else { throw Command.Failed(description: "\(name) does not run") }
        guard try await eventually(within: .seconds(30), { !Self.isAlive(pid) }) else {
            throw Command.Failed(description: "\(name) runs on, 30 s after signal \(signal)")
        }
    }

    /// Whether a process runs; one that has ended and waits for its parent does not.
    static func isAlive(_ pid: pid_t) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        guard let name = stat.lastIndex(of: ")") else { return false }
        return !stat[name...].hasPrefix(") Z")
    }

    /// Starts another process like one of the stack, as the test's own child.
    ///
    /// - Parameters:
    ///   - name: the process of which it gets the program and the environment, such as `ingress-1`.
    ///   - changes: variables that are set otherwise; an empty one is taken out.
    func startAnother(_ name: String, _ changes: [String: String] = [:]) throws -> Started {
        let pid = try pid(name)
        let environ = try Data(contentsOf: URL(filePath: "/proc/\(pid)/environ"))
        var environment: [String: String] = [:]
        for entry in environ.split(separator: 0) {
            let parts = String(decoding: entry, as: UTF8.self).split(separator: "=", maxSplits: 1)
            if parts.count == 2 { environment[String(parts[0])] = String(parts[1]) }
        }
        // The running process keeps its own health file.
        environment["WARREN_HEALTH_FILE"] =
            FileManager.default.temporaryDirectory.appending(path: "healthy-\(Fresh.word(12))").path
        for (variable, value) in changes { environment[variable] = value.isEmpty ? nil : value }
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
        return try Command(path: program, environment: environment).start()
    }

    /// A secret of the stack, such as `post-amqp.url`.
    func secret(_ name: String) throws -> String {
        try String(contentsOfFile: "\(state)/secrets/\(name)", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
