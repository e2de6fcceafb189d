import Foundation
import TestSupport
import Testing

/// Tests the functions of `compose/lib` for the two Redis servers, without a server.
@Suite("Redis servers of compose/local")
struct RedisServerTests {
    private static let settings = """
        REDIS_PORT=1001 LIMITS_PORT=1002 AMQP_PORT=1003 POSTGRES_PORT=1004 CLOUDINARY_PORT=1005 HTTP_PORT=1006
        BUILD=debug
        """

    private let state: TemporaryFolder

    init() throws {
        state = try TemporaryFolder()
    }

    private func run(_ script: String, parts: [String]) async throws -> Repository.ProgramResult {
        let result = try await Repository.runScript(
            "make_state_folder\n\(Self.settings)\n\(script)", parts: ["output", "state", "secrets"] + parts,
            state: state.path)
        try #require(result.status == 0, "\(result.errors)")
        return result
    }

    @Test("compose/local gives each daemon the address of its Redis server, with a user and a password of its own")
    func addresses() async throws {
        _ = try await run("write_addresses", parts: ["redis", "daemons"])
        let ports = ["ingress": 1002, "identity": 1002, "post": 1001, "media": 1001, "search": 1001]
        var passwords: Set<String> = []
        for (service, port) in ports {
            let url = try #require(URLComponents(string: try state.text("secrets/\(service)-redis.url")))
            #expect(url.user == service && url.host == "127.0.0.1" && url.port == port && url.path == "/0")
            #expect(passwords.insert(try #require(url.password)).inserted)
        }
        let script = "for name in ingress identity post media search; do set_command $name-1; echo ${COMMAND[*]}; done"
        let commands = try await run(script, parts: ["process", "daemons"]).text
        let files = try Repository.all("WARREN_REDIS_URL_FILE=([^ ]+)", in: commands)
        #expect(files == Set(ports.keys.map { state.path("secrets/\($0)-redis.url") }))
    }

    @Test("compose/local env prints the addresses of both Redis servers with their default users")
    func environment() async throws {
        let printed = try await run("print_stack_addresses", parts: ["redis", "process", "cluster", "addresses"]).text
        let (redis, limits) = (try state.text("secrets/redis").prefix(48), try state.text("secrets/limits").prefix(48))
        #expect(redis != limits)
        #expect(printed.contains("export WARREN_REDIS_URL=redis://:\(redis)@127.0.0.1:1001/0\n"))
        #expect(printed.contains("export WARREN_LIMITS_REDIS_URL=redis://:\(limits)@127.0.0.1:1002/0\n"))
    }

    @Test("a running Redis server is restarted only if its configuration has changed")
    func changedConfiguration() async throws {
        let result = try await run(
            """
            require_free_port() { :; }
            set_user_prefix() { PREFIX=(); }
            make_server_folder() { :; }
            launch() { echo "launched $1"; running=yes; }
            stop_processes() { echo "stopped $2"; running=no; }
            is_running() { [[ $running == yes ]]; }
            running=no
            launch_limits
            launch_limits
            rm "$STATE/secrets/redis-identity"
            launch_limits
            launch_limits
            """, parts: ["redis"])
        #expect(result.text == "launched limits-1\nstopped limits-1\nlaunched limits-1\n")
    }

    @Test("a stack that an earlier version started gets a port for the server `limits`, and keeps its other settings")
    func earlierSettings() async throws {
        try state.write("REDIS_PORT=2001\nBUILD=release\n", to: "settings")
        let script = "unset LIMITS_PORT; WARREN_LIMITS_PORT=2002 load_settings; unset LIMITS_PORT; load_settings"
        let result = try await run("\(script); echo $REDIS_PORT $LIMITS_PORT $BUILD", parts: [])
        #expect(result.text == "2001 2002 release\n")
    }

    @Test(
        "compose/local up, servers and test accept Redis 7.0 and later, and fail with an older version",
        arguments: ["up", "up_servers", "prepare_tests"])
    func version(command: String) async throws {
        let versions = [
            "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0": "accepted",
            "Redis server v=8.0.2 sha=00000000:1 malloc=jemalloc-5.3.0 bits=64 build=1": "accepted",
            "Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=a3fdef44459b3ad6":
                "\(state.path("bin/redis-server")) is Redis 6.0.16: Redis 7.0 or later is required",
            "Redis server v=10.0.0": "accepted",
            "not a version": "redis-server --version prints no version: not a version",
        ]
        for (printed, expected) in versions {
            try state.write("#!/bin/bash\necho '\(printed)'\n", to: "bin/redis-server")
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: state.path("bin/redis-server"))
            // The functions that would install, build or start anything are replaced.
            let result = try await Repository.runScript(
                """
                PATH=$STATE/bin:$PATH
                install_packages() { :; }
                require_swift() { :; }
                remove_own_data_and_logs() { :; }
                stop_own_stack() { :; }
                reserve_free_ports() { :; }
                build_release() { echo built; }
                start_servers() { echo started; }
                start_stack() { echo started; }
                \(command)
                """,
                parts: ["output", "state", "process", "packages", "build", "servers", "commands", "own_stack", "test"],
                state: state.path)
            if expected == "accepted" {
                #expect(result.status == 0, "\(printed): \(result.errors)")
            } else {
                #expect(result.status == 1 && result.errors.contains(expected), "\(printed): \(result.errors)")
                #expect(!result.text.contains("built") && !result.text.contains("started"), "\(printed)")
            }
        }
    }

    @Test("a command that deletes the data of its stack refuses a folder with a stack that another command started")
    func foreignStack() async throws {
        try state.write("REDIS_PORT=2001\n", to: "settings")
        try state.write("data", to: "postgres/data/PG_VERSION")
        let result = try await Repository.runScript(
            "prepare_own_stack bench release", parts: ["output", "state", "process", "servers", "own_stack"],
            state: state.path)
        #expect(result.status == 1 && result.errors.contains("did not start"), "\(result.errors)")
        #expect(try state.text("settings") == "REDIS_PORT=2001\n")
        #expect(FileManager.default.fileExists(atPath: state.path("postgres/data/PG_VERSION")))
        #expect(!FileManager.default.fileExists(atPath: state.path("bench.lock")))
    }
}
