import AtomicFile
import ChaosKit
import FoundationEssentials
import Glibc
import LocalStack
import Reactor

/// Further clients that send many requests. They run in `wrk`, because a load generator that needs much CPU time would
/// slow down Warren, which runs on the same machine.
@Loop struct Flood {
    /// Starts `wrk` with a low priority, because real clients run on other machines and do not compete with Warren for
    /// the processor. Linux can schedule the processes of a session as a group, which has a priority of its own, so
    /// `wrk` gets its own session (sched(7), "The autogroup feature").
    ///
    /// `$0` is the file for its pid, with which `compose/local chaos` ends it if the suite is interrupted.
    private static let start = """
        echo $$ >"$0"
        if [ -w /proc/self/autogroup ]; then echo 10 >/proc/self/autogroup; fi
        exec nice -n 10 wrk "$@"
        """
    /// How long `wrk` may need to start and to end.
    private static let grace: Duration = .seconds(30)

    /// The folder for the files of `wrk`.
    private let folder: String
    /// The access tokens of the clients, by account.
    private let tokens: [String]
    /// The beginning of the texts of all posts.
    private let prefix: String
    /// The number of clients at each ingress. Each sends its requests at a fixed rate, but waits for each response.
    private let clients: Int

    init(_ testbed: Testbed, clients: Int) {
        folder = "\(testbed.stack.state)/chaos-flood"
        tokens = testbed.clients.accounts.map(\.token)
        prefix = "\(testbed.clients.prefix) flood"
        self.clients = clients
    }

    /// Sends requests to ingresses: every other one creates a post, and the others read the list of posts.
    ///
    /// - Parameters:
    ///   - addresses: the URLs of the ingresses.
    ///   - rate: the number of requests per second, if the responses come at once.
    ///   - seconds: how long requests are sent.
    /// - Returns: what became of the requests.
    /// - Throws: errors of `wrk` and of the file system, and `FloodNotes.Malformed`.
    func run(at addresses: [String], perSecond rate: Int, seconds: Int) async throws -> FloodNotes {
        let period = 1_000 * clients * addresses.count / rate
        let script = try write("flood.lua", FloodNotes.script)
        let tokenFile = try write("tokens", Array(tokens.joined(separator: "\n").utf8))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let runs = try addresses.enumerated().map { number, address in
            let notes = try makeFolder("notes-\(number)")
            let program = Program(
                path: "setsid",
                arguments: [
                    "sh", "-c", Self.start, "\(folder)/\(number).pid", "-t\(clients)", "-c\(clients)",
                    "-d\(seconds)s", "-s", script, address, notes, "\(prefix) \(number)", "\(period)", tokenFile,
                ])
            return (program, notes)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (program, _) in runs {
                group.addTask { try await program.runSuccessfully(within: .seconds(seconds) + Self.grace) }
            }
            try await group.waitForAll()
        }
        var result = FloodNotes()
        for (_, notes) in runs {
            for file in try FileManager.default.contentsOfDirectory(atPath: notes) {
                let bytes = try Data(contentsOf: URL(filePath: "\(notes)/\(file)"))
                try result.add(String(decoding: bytes, as: UTF8.self))
            }
        }
        return result
    }

    private func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = "\(try makeFolder(""))/\(name)"
        try AtomicFile(file, mode: 0o600).write(bytes, replacing: true)
        return file
    }

    /// Only the suite's user can read the files, because they have access tokens.
    private func makeFolder(_ name: String) throws -> String {
        let path = name.isEmpty ? folder : "\(folder)/\(name)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        chmod(path, 0o700)
        return path
    }
}
