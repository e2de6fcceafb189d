import Foundation
import TestSupport
import Testing

/// Tests `compose/lib/rotate_logs.sh`, which limits the size of the logs while their processes run.
@Suite("Log rotation of compose/local", .timeLimit(.minutes(2)))
struct LogRotationTests {
    private let state: TemporaryFolder

    init() throws {
        state = try TemporaryFolder()
    }

    /// Runs a script that can call the functions of `compose/lib`, and then stops the processes that it has started.
    ///
    /// The script can also call two functions. `rotate` rotates logs that are longer than 50,000 bytes every 0.1 s.
    /// `start_writer PROGRAM` starts the process `writer-1` with a bash program, which can call `lines FIRST LAST` to
    /// write numbered lines of 100 bytes. The process then sleeps; `has_written` tells whether it has come so far.
    private func run(_ script: String) async throws -> Repository.ProgramResult {
        let prelude = #"""
            make_state_folder
            trap 'stop_processes KILL writer-1 log-rotation-1' EXIT
            log=$STATE/log/writer-1.log
            rotate() { launch log-rotation-1 bash "$ROOT/compose/lib/rotate_logs.sh" "$STATE/log" 50000 0.1; }
            lines() { local n && for ((n = $1; n <= $2; n++)); do printf '%099d\n' "$n"; done; }
            is_short() { (($(stat -c %s "$log") <= 50000)); }
            start_writer() {
                launch writer-1 bash -c "log=$log; $(declare -f lines is_short); $1; exec sleep 60"
            }
            has_written() { [[ $(cat "/proc/$(pid_of writer-1)/comm") == sleep ]]; }
            exists() { [[ -f $1 ]]; }

            """#
        let result = try await Repository.runScript(
            prelude + script, parts: ["output", "state", "process"], state: state.path)
        try #require(result.status == 0, "\(result.errors)")
        return result
    }

    /// Returns the lines that `lines FIRST LAST` writes.
    private func lines(_ range: ClosedRange<Int>) -> String {
        range.map { String(format: "%099ld\n", $0) }.joined()
    }

    @Test("a process whose log is rotated keeps running and writes its next line to the start of the log")
    func continues() async throws {
        let result = try await run(
            """
            start_writer 'lines 1 5000; until is_short; do sleep 0.05; done; lines 5001 5100'
            pid=$(pid_of writer-1)
            has_paused() { (($(stat -c %s "$log") == 500000)); }
            wait_until 60 has_paused
            rotate
            wait_until 60 has_written
            is_running writer-1 && [[ $(pid_of writer-1) == "$pid" ]] && echo "the same process"
            """)
        #expect(result.text == "the same process\n")
        #expect(try state.text("log/writer-1.log") == lines(5001...5100))
        #expect(try state.text("log/writer-1.log.1") == lines(4501...5000))
    }

    @Test("the logs of a process that writes without a pause are limited in size")
    func limit() async throws {
        _ = try await run(
            "rotate; start_writer 'lines 1 100000'; wait_until 100 has_written; wait_until 10 is_short")
        let (log, older) = (try state.text("log/writer-1.log"), try state.text("log/writer-1.log.1"))
        // The process has written 10,000,000 bytes. The copy also has the lines that were written while it was made.
        #expect(log.utf8.count <= 50_000 && older.utf8.count < 1_000_000, "\(log.utf8.count) \(older.utf8.count)")
        #expect(!older.isEmpty)
    }

    @Test("if the log rotation is killed, a process continues to write, and the next start limits its log again")
    func killed() async throws {
        let result = try await run(
            """
            rotate
            kill -KILL "$(pid_of log-rotation-1)"
            wait_until 10 none_running log-rotation-1
            start_writer 'lines 1 5000'
            wait_until 60 has_written
            stat -c %s "$log"
            rotate
            wait_until 10 is_short
            is_running writer-1 && stat -c %s "$log.1"
            """)
        #expect(result.text == "500000\n50000\n")
    }

    @Test("the rotation keeps the last lines of a log, and rotates no other files of the folder")
    func files() async throws {
        for name in ["log/post-12.log", "log/build-release.log", "log/test.log", "log/post-12.log.2"] {
            try state.write(lines(1...1000), to: name)
        }
        _ = try await run(#"rotate; wait_until 10 exists "$STATE/log/post-12.log.1"; sleep 0.5"#)
        #expect(try state.text("log/post-12.log") == "")
        #expect(try state.text("log/post-12.log.1") == lines(501...1000))
        for name in ["log/build-release.log", "log/test.log", "log/post-12.log.2"] {
            #expect(try state.text(name) == lines(1...1000), "\(name)")
        }
        let names = Set(try state.contents("log"))
        #expect(names.isDisjoint(with: ["build-release.log.1", "test.log.1", "post-12.log.1.1"]), "\(names)")
    }

    @Test("a log that cannot be copied, for example because the disk is full, is truncated nevertheless")
    func failedCopy() async throws {
        try state.makeFolder("log/writer-1.log.1")
        _ = try await run(
            """
            start_writer 'lines 1 5000'
            wait_until 60 has_written
            rotate
            wait_until 10 is_short
            is_running writer-1
            """)
        #expect(try state.text("log/writer-1.log") == "")
    }

    @Test("the rotation ends when the stack's folder is deleted")
    func deletedFolder() async throws {
        let result = try await run(
            """
            rotate
            pid=$(pid_of log-rotation-1)
            rm -r "$STATE/log"
            ended() { ! start_time "$pid" >/dev/null; }
            wait_until 10 ended && echo ended
            """)
        #expect(result.text == "ended\n")
    }

    @Test("the log rotation starts with the servers, unless it runs, and stops after them; its limit is 32 MiB")
    func lifetime() async throws {
        let result = try await Repository.runScript(
            """
            make_state_folder
            launch() { echo "launched $*"; running+=" $1"; }
            launch_redis() { if ! is_running redis-1; then launch redis-1; fi; }
            is_running() { [[ " $running " == *" $1 "* ]]; }
            wait_until_ready() { :; }
            stop_processes() { echo "stopped ${*:2}"; }
            running=
            start_servers redis
            start_servers redis
            stop_servers
            """, parts: ["output", "state", "process", "cluster", "servers"], state: state.path)
        try #require(result.status == 0, "\(result.errors)")
        let script = Repository.path("compose/lib/rotate_logs.sh")
        #expect(
            result.text == """
                launched redis-1
                launched log-rotation-1 bash \(script) \(state.path)/log
                stopped postgres-1
                stopped redis-1 limits-1 rabbitmq-1
                stopped epmd-1
                stopped log-rotation-1

                """)
        #expect(try Repository.text("compose/lib/rotate_logs.sh").contains("limit=${2:-33554432} interval=${3:-2}"))
    }

    @Test("if a process's log was rotated during its start, compose/local prints the new lines of the log")
    func failedStart() async throws {
        let result = try await run(
            #"echo "a new line" >"$STATE/log/post-1.log"; print_log_end "$STATE/log/post-1.log" 1000"#)
        #expect(result.errors.contains("    a new line"), "\(result.errors)")
    }
}
