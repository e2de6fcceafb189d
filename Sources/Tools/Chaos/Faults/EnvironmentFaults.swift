import ChaosKit
import Contracts
import FoundationEssentials
import Glibc
import LocalStack
import Reactor

/// Faults of the machine on which the daemons run: clocks, and the reader of their logs.
enum EnvironmentFaults {
    static let all = [clockAhead, clockBehind, clocksApart, unreadLog, fullLog]

    private static let clockAhead = clocks(
        "clock-ahead", "the clocks of the post, media and search workers are 50 min ahead", offset: "+3000",
        Self.workers)

    private static let clockBehind = clocks(
        "clock-behind", "the clocks of the post, media and search workers are 50 min behind", offset: "-3000",
        Self.workers)

    private static let clocksApart = clocks(
        "clocks-apart", "the clocks of all workers are 6 s ahead of that of the ingress", offset: "+6", Stack.workers)

    private static let workers = ["post", "media", "search"]

    /// The clock of the identity workers sets the times of access tokens, and the ingress accepts a difference of 60 s.
    /// Cloudinary accepts a difference of an hour.
    private static func clocks(_ name: String, _ summary: String, offset: String, _ workers: [String]) -> Fault {
        Fault(name: name, summary: summary, targets: [.workers], needs: [.broker, .postgres]) { world, run in
            let library = try Self.faketime()
            // libfaketime also changes the monotonic clock unless it is told not to.
            let changes = ["LD_PRELOAD": library, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"]
            run.begin()
            var pids: [pid_t] = []
            let start: @Loop (String) throws -> ChildProcess = { service in
                let copy = try world.stack.startCopy(of: "\(service)-1", changes)
                pids.append(copy.pid)
                return copy
            }
            try await world.replacing(workers, run, with: start) {
                run.require(pids.allSatisfy { ProcessTree.hasLoaded("libfaketime", $0) }, "libfaketime was not loaded")
                try await world.sleep(seconds: 8...12)
            }
            run.end()
        }
    }

    private static func faketime() throws -> String {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
        for folder in folders {
            let path = "/usr/lib/\(folder)/faketime/libfaketime.so.1"
            if FileManager.default.fileExists(atPath: path) { return path }
        }
        throw ChaosError("there is no libfaketime.so.1: install the Debian package faketime")
    }

    private static let unreadLog = Fault(
        name: "log-unread", summary: "nobody reads the standard error of the workers", targets: [.workers],
        needs: [.broker, .postgres]
    ) { world, run in
        let pipe = "\(world.stack.state)/chaos-unread"
        guard mkfifo(pipe, 0o600) == 0 || errno == EEXIST else { throw ChaosError("mkfifo \(pipe) failed") }
        // The pipe stays open for reading, but is never read.
        let reader = open(pipe, O_RDWR | O_CLOEXEC)
        guard reader >= 0 else { throw ChaosError("cannot open \(pipe)") }
        defer { close(reader) }
        run.begin()
        let start: @Loop (String) throws -> ChildProcess = {
            try world.stack.startCopy(of: "\($0)-1", ["WARREN_LOG_LEVEL": "trace"], errors: pipe)
        }
        try await world.replacing(Stack.workers, run, with: start) { try await world.sleep(seconds: 8...12) }
        run.end()
    }

    private static let fullLog = Fault(
        name: "log-full", summary: "the file system of the workers' logs is full", targets: [.workers],
        needs: [.broker, .postgres]
    ) { world, run in
        run.begin()
        let start: @Loop (String) throws -> ChildProcess = {
            try world.stack.startCopy(of: "\($0)-1", errors: "/dev/full")
        }
        try await world.replacing(Stack.workers, run, with: start) { try await world.sleep(seconds: 5...8) }
        run.end()
    }
}
