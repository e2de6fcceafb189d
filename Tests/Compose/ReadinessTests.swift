import Foundation
import TestSupport
import Testing

/// Tests the functions of `compose/lib` that start processes and wait for them. A script replaces each daemon.
@Suite("Readiness of started processes", .timeLimit(.minutes(2)))
struct ReadinessTests {
    private let state: TemporaryFolder

    init() throws {
        state = try TemporaryFolder()
    }

    /// Runs a script that can call the functions of `compose/lib`, and then stops the daemons that it has started.
    ///
    /// - Parameter program: the bash script that runs instead of each daemon.
    private func run(_ script: String, daemon program: String) async throws -> Repository.ProgramResult {
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
        let result = try await run(
            "WARREN_LOG_LEVEL=\(level) set_daemon_count post 3; ls \"$STATE/run\"; cat \"$STATE\"/log/post-*.log",
            daemon: #"sleep 0.3; : >"$WARREN_HEALTH_FILE"; exec sleep 60"#)
        #expect(result.status == 0, "\(result.errors)")
        let expected = (1...3).flatMap { ["post-\($0).born", "post-\($0).health", "post-\($0).pid"] }
        #expect(result.text == expected.joined(separator: "\n") + "\n", "each worker has three files and an empty log")
    }

    @Test("a health file that a killed worker left behind does not make a new worker ready")
    func staleFile() async throws {
        try state.write("", to: "run/post-1.health")
        let result = try await run(
            "wait_for_daemons() { wait_until_ready 1 daemon_is_ready \"$@\"; }; set_daemon_count post 1",
            daemon: "exec sleep 60")
        #expect(result.status == 1)
        #expect(result.errors.contains("post-1 is not ready after 1 s"), "\(result.errors)")
    }

    @Test("if a worker exits during its start, compose/local fails at once and prints the worker's last log lines")
    func crash() async throws {
        let start = ContinuousClock.now
        let result = try await run(
            "set_daemon_count post 2",
            daemon: #"""
                [[ $WARREN_HEALTH_FILE == *post-2* ]] || exec sleep 60
                echo "warren-post: WARREN_DATABASE_URL: must be set" >&2
                exit 78
                """#)
        #expect(result.status == 1)
        #expect(ContinuousClock.now - start < .seconds(30), "before the time limit of 60 s")
        #expect(result.errors.contains("    warren-post: WARREN_DATABASE_URL: must be set"), "\(result.errors)")
        #expect(result.errors.contains("post-2 exited during its start"), "\(result.errors)")
    }

    @Test("a process that exits before its start time is recorded does not count as running")
    func earlyExit() async throws {
        try state.write("", to: "run/post-1.born")
        let result = try await run(
            """
            sleep 0 & echo $! >"$STATE/run/post-1.pid"
            wait
            if is_running post-1; then echo running; else echo exited; fi
            """, daemon: "exit 1")
        #expect(result.text == "exited\n", "\(result.errors)")
    }

    @Test("if a worker exits during its start, compose/local prints no log lines of an earlier start")
    func earlierLog() async throws {
        try state.write("an earlier line\n", to: "log/post-1.log")
        let result = try await run("set_daemon_count post 1", daemon: "exit 1")
        #expect(result.status == 1 && !result.errors.contains("an earlier line"))
        #expect(result.errors.contains("log/post-1.log has no new lines"), "\(result.errors)")
    }

    @Test("if a port is in use, compose/local fails and names the port and the variable that changes it")
    func portInUse() async throws {
        let server = try HTTPServer()
        let result = try await run("HTTP_PORT=\(server.port); set_daemon_count ingress 1", daemon: "exec sleep 60")
        #expect(result.status == 1)
        #expect(result.errors.contains("port \(server.port) for the HTTP API is in use by another program"))
        #expect(result.errors.contains("WARREN_HTTP_PORT"))
    }

    @Test("a process that has exited is not ready, even if another process answers on its port")
    func foreignAnswer() async throws {
        let server = try HTTPServer()
        let result = try await run(
            """
            HTTP_PORT=\(server.port)
            require_free_port() { :; }
            launch_daemon ingress-1
            wait_until 30 none_running ingress-1
            wait_for_daemons ingress-1
            """, daemon: "exit 1")
        #expect(result.status == 1)
        #expect(result.errors.contains("ingress-1 exited during its start"), "\(result.errors)")
    }

    @Test("a test run does not choose ports that another test run has reserved")
    func reservedPorts() async throws {
        let result = try await Repository.runScript(
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
        #expect(result.status == 0, "\(result.errors)")
        let ports = result.text.split(separator: "\n").compactMap { Int($0) }
        #expect(ports.count == 2 && abs(ports[0] - ports[1]) >= 10, "\(ports)")
    }

    @Test("a port mapper of Erlang that has died is replaced, even while the broker runs")
    func portMapper() async throws {
        let result = try await Repository.runScript(
            """
            make_state_folder
            set_user_prefix() { PREFIX=(); }
            set_rabbitmq_environment() { :; }
            EPMD_PORT=4369
            require_free_port() { :; }
            is_running() { [[ $1 == rabbitmq-1 ]]; }
            launch() { echo "launched $1"; }
            wait_until_ready() { :; }
            launch_rabbitmq
            """, parts: ["output", "state", "process", "rabbitmq"], state: state.path)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.text == "launched epmd-1\n")
    }
}
