import AtomicFile
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
        "clock-ahead",
        "the clocks of the post and search workers jump 1 h ahead, and those of the media workers 50 min",
        offsets: ["post": 3_600, "search": 3_600, "media": 3_000])

    private static let clockBehind = clocks(
        "clock-behind",
        "the clocks of the post and search workers jump 1 h back, and those of the media workers 50 min",
        offsets: ["post": -3_600, "search": -3_600, "media": -3_000])

    private static let clocksApart = clocks(
        "clocks-apart", "the clocks of all workers jump 6 s ahead of that of the ingress",
        offsets: ["identity": 6, "post": 6, "search": 6, "media": 6])

    /// Starts workers with the right time, and changes their clocks some seconds later.
    ///
    /// The identity workers set the times of access tokens, and the ingress accepts a difference of 60 s. Cloudinary
    /// accepts requests of the media workers with a difference of an hour.
    ///
    /// - Parameter offsets: the seconds by which the clock of each service is ahead.
    private static func clocks(_ name: String, _ summary: String, offsets: [String: Int]) -> Fault {
        Fault(name: name, summary: summary, targets: [.workers], needs: [.broker, .postgres]) { testbed, run in
            let library = try Self.faketime()
            func file(_ service: String) -> AtomicFile {
                AtomicFile("\(testbed.stack.state)/chaos-clock-\(service)", mode: 0o644)
            }
            run.begin()
            var pids: [pid_t] = []
            let start: @Loop (String) throws -> ChildProcess = { service in
                try file(service).write(Array("+0\n".utf8), replacing: true)
                let copy = try testbed.startCopy(
                    of: service,
                    [
                        "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": file(service).path,
                        "FAKETIME_CACHE_DURATION": "1",
                        // Otherwise libfaketime also changes the monotonic clock.
                        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                    ])
                pids.append(copy.pid)
                return copy
            }
            try await testbed.replacing(offsets.keys.sorted(), run, with: start) {
                run.require(pids.allSatisfy { ProcessFiles.hasLoaded("libfaketime", $0) }, "libfaketime was not loaded")
                try await testbed.sleep(seconds: 2...4)
                for (service, offset) in offsets {
                    let text = offset < 0 ? "\(offset)\n" : "+\(offset)\n"
                    try file(service).write(Array(text.utf8), replacing: true)
                }
                try await testbed.sleep(seconds: 6...10)
                Self.requireOffsets(offsets, testbed, run)
            }
            run.end()
        }
    }

    /// Requires that the times of the last post and the last picture show the changed clocks. A clock that was set back
    /// makes times go on at half speed, so they are behind by half the time since then.
    @Loop private static func requireOffsets(_ offsets: [String: Int], _ testbed: Testbed, _ run: FaultRun) {
        for (service, name) in [(ServiceName.post, "post"), (.media, "media")] {
            guard let offset = offsets[name] else { continue }
            let measured = testbed.clients.clockOffsets[service] ?? .zero
            let isMoved = offset < 0 ? measured < .seconds(-1.5) : measured > .seconds(offset) - .seconds(2)
            run.require(isMoved, "the clock of the \(name) workers was ahead by only \(measured)")
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

    /// The bytes that a pipe holds by default (pipe(7)).
    private static let pipeSize = 65_536

    private static let unreadLog = Fault(
        name: "log-unread", summary: "nobody reads the standard error of the workers and the ingresses",
        targets: [.workers, .ingress], needs: [.broker, .postgres]
    ) { testbed, run in
        let pipe = "\(testbed.stack.state)/chaos-unread"
        guard mkfifo(pipe, 0o600) == 0 || errno == EEXIST else { throw ChaosError("mkfifo \(pipe) failed") }
        // The pipe stays open for reading, but is never read.
        let reader = open(pipe, O_RDWR | O_CLOEXEC)
        guard reader >= 0 else { throw ChaosError("cannot open \(pipe)") }
        defer { close(reader) }
        try await replaceDaemons(testbed, run, ["WARREN_LOG_LEVEL": "trace"], errors: pipe)
        let unread = unreadBytes(reader)
        run.require(unread > pipeSize * 9 / 10, "the daemons wrote only \(unread) bytes into the pipe")
    }

    private static func unreadBytes(_ pipe: Int32) -> Int {
        var count: Int32 = 0
        return ioctl(pipe, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }

    private static let fullLog = Fault(
        name: "log-full", summary: "the file system of the logs of the workers and the ingresses is full",
        targets: [.workers, .ingress], needs: [.broker, .postgres]
    ) { testbed, run in
        try await replaceDaemons(testbed, run, errors: "/dev/full")
    }

    /// Lets daemons with another standard error serve the clients for some seconds.
    @Loop private static func replaceDaemons(
        _ testbed: Testbed, _ run: FaultRun, _ changes: [String: String] = [:], errors: String
    ) async throws {
        run.begin()
        let start: @Loop (String) throws -> ChildProcess = { service in
            let copy = try testbed.startCopy(of: service, changes, errors)
            run.require(ProcessFiles.errors(of: copy.pid) == errors, "the standard error of \(service) is another file")
            return copy
        }
        try await testbed.replacing(Stack.workers, run, with: start) {
            try await testbed.replacingIngresses(changes, errors: errors, run) { _ in
                try await testbed.sleep(seconds: 6...10)
            }
        }
        run.end()
    }
}
