import Foundation
import Testing

/// The functions of `compose/lib` that start processes and wait for them, with a script in the place of each daemon.
@Suite("Readiness of started processes", .timeLimit(.minutes(2)))
struct ReadinessTests {
    private let state: TemporaryFolder

    init() throws {
        state = try TemporaryFolder()
    }

    /// Runs a script after the parts of `compose/lib`. Each daemon is the given program, and all of them are stopped.
    private func run(_ script: String, daemon program: String) async throws -> Repository.Ended {
        try state.write("#!/bin/bash\n\(program)\n", to: "program")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: state.path("program"))
        let prelude = """
            program_of() { printf '%s' "$STATE/program"; }
            make_state_folder
            trap 'stop_processes KILL $(running_processes post) $(running_processes ingress)' EXIT

            """
        return try await Repository.runScript(
            prelude + script, parts: ["output", "state", "secrets", "process", "daemons"], state: state.path)
    }

    @Test("a worker is ready when its health file appears, at any log level", arguments: ["info", "critical"])
    func healthFile(level: String) async throws {
        let ended = try await run(
            "WARREN_LOG_LEVEL=\(level) set_daemon_count post 3; ls \"$STATE/run\"; cat \"$STATE\"/log/post-*.log",
            daemon: #"sleep 0.3; : >"$WARREN_HEALTH_FILE"; exec sleep 60"#)
        #expect(ended.status == 0, "\(ended.errors)")
        let expected = (1...3).flatMap { ["post-\($0).born", "post-\($0).health", "post-\($0).pid"] }
        #expect(ended.text == expected.joined(separator: "\n") + "\n", "a file for each worker, and empty logs")
    }

    @Test("the health file of a killed worker does not make its successor ready")
    func staleFile() async throws {
        try state.write("", to: "run/post-1.health")
        let ended = try await run(
            "wait_for_daemons() { wait_until_ready 1 daemon_is_ready \"$@\"; }; set_daemon_count post 1",
            daemon: "exec sleep 60")
        #expect(ended.status == 1)
        #expect(ended.errors.contains("post-1 is not ready after 1 s"), "\(ended.errors)")
    }

    @Test("a worker that exits during its start is reported at once with its last log lines, while others still start")
    func crash() async throws {
        let start = ContinuousClock.now
        let ended = try await run(
            "set_daemon_count post 2",
            daemon: #"""
                [[ $WARREN_HEALTH_FILE == *post-2* ]] || exec sleep 60
                echo "warren-post: WARREN_DATABASE_URL: must be set" >&2
                exit 78
                """#)
        #expect(ended.status == 1)
        #expect(ContinuousClock.now - start < .seconds(30), "before the time limit of 60 s")
        #expect(ended.errors.contains("    warren-post: WARREN_DATABASE_URL: must be set"), "\(ended.errors)")
        #expect(ended.errors.contains("post-2 exited during its start"), "\(ended.errors)")
    }

    @Test("a process that exits before its start time is recorded does not count as running")
    func earlyExit() async throws {
        try state.write("", to: "run/post-1.born")
        let ended = try await run(
            """
            sleep 0 & echo $! >"$STATE/run/post-1.pid"
            wait
            if is_running post-1; then echo running; else echo exited; fi
            """, daemon: "exit 1")
        #expect(ended.text == "exited\n", "\(ended.errors)")
    }

    @Test("the log of an earlier start is not shown for a worker that exits during its start")
    func earlierLog() async throws {
        try state.write("an earlier line\n", to: "log/post-1.log")
        let ended = try await run("set_daemon_count post 1", daemon: "exit 1")
        #expect(ended.status == 1 && !ended.errors.contains("an earlier line"))
        #expect(ended.errors.contains("log/post-1.log has no new lines"), "\(ended.errors)")
    }

    @Test("a port in use is named with the variable that changes it")
    func portInUse() async throws {
        let server = try HTTPServer()
        let ended = try await run("HTTP_PORT=\(server.port); set_daemon_count ingress 1", daemon: "exec sleep 60")
        #expect(ended.status == 1)
        #expect(ended.errors.contains("port \(server.port) for the HTTP API is in use by another program"))
        #expect(ended.errors.contains("WARREN_HTTP_PORT"))
    }

    @Test("a process is not ready if another one answers on its port")
    func foreignAnswer() async throws {
        let server = try HTTPServer()
        let ended = try await run(
            """
            HTTP_PORT=\(server.port)
            require_free_port() { :; }
            launch_daemon ingress-1
            wait_until 30 none_running ingress-1
            wait_for_daemons ingress-1
            """, daemon: "exit 1")
        #expect(ended.status == 1)
        #expect(ended.errors.contains("ingress-1 exited during its start"), "\(ended.errors)")
    }

    @Test("two test runs that draw the same ports reserve different ones")
    func reservedPorts() async throws {
        let ended = try await Repository.runScript(
            """
            make_state_folder
            RANDOM=7
            reserve_free_ports
            echo "$AMQP_PORT"
            exec 6>&7 7>&-
            RANDOM=7
            reserve_free_ports
            echo "$AMQP_PORT"
            """, parts: ["output", "state"], state: state.path)
        #expect(ended.status == 0, "\(ended.errors)")
        let ports = ended.text.split(separator: "\n").compactMap { Int($0) }
        #expect(ports.count == 2 && abs(ports[0] - ports[1]) >= 10, "\(ports)")
    }
}
