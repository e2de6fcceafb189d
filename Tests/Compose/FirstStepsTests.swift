import Foundation
import TestSupport
import Testing

/// Tests the functions of `compose/lib` that a beginner meets first, without a server.
@Suite("First steps with compose/local")
struct FirstStepsTests {
    private let state: TemporaryFolder

    init() throws {
        state = try TemporaryFolder()
    }

    private func run(_ script: String, parts: [String]) async throws -> Repository.ProgramResult {
        try await Repository.runScript(script, parts: ["output", "state"] + parts, state: state.path)
    }

    @Test("the progress of a build has its step, the number of steps, the time and the module")
    func progress() async throws {
        for (log, seconds, expected) in [
            (
                "Fetching a\n[0/1] Planning build\n[12/345] Compiling NIOCore Channel.swift\n", "65.3",
                "12 of 345, 1:05 min, NIOCore"
            ),
            ("[1/9] Write sources\n[2/9] Emitting module Reactor\n", "0.0", "2 of 9, 0:00 min, Reactor"),
            ("[3/9] Compiling p256.cc\nwarning: [4/9] x\n", "600.0", "3 of 9, 10:00 min, p256.cc"),
            ("[5/9] Linking warren-post\n", "9.9", "5 of 9, 0:09 min"), ("", "3.0", "0:03 min"),
        ] {
            try log.write(toFile: state.path("log"), atomically: true, encoding: .utf8)
            let result = try await run("build_progress '\(state.path("log"))' \(seconds)", parts: ["build"])
            #expect(result.status == 0)
            #expect(result.text == expected)
        }
        #expect(try await run("build_progress /nonexistent 1.0", parts: ["build"]).text == "0:01 min")
    }

    @Test("the line with the progress of a build is shorter than the terminal is wide, and is cut in its last part")
    func progressLine() async throws {
        try "[12/345] Compiling \(String(repeating: "Module", count: 20)) a.swift\n".write(
            toFile: state.path("log"), atomically: true, encoding: .utf8)
        func line(_ columns: Int) async throws -> String {
            let result = try await run(
                "STEP='Building programs (debug)'; progress_line \(columns) '\(state.path("log"))' 65.3",
                parts: ["build"])
            #expect(result.status == 0, "\(result.errors)")
            return result.text
        }
        let whole = try await line(500)
        #expect(whole.hasPrefix("  Building programs (debug)") && whole.contains("12 of 345, 1:05 min, Module"))
        for columns in [80, 60, 20, 2, 1, 0] {
            #expect(try await line(columns) == String(whole.prefix(max(0, columns - 1))))
        }
    }

    @Test("compose/local picture writes a PNG, does not overwrite a file, and names a folder that does not exist")
    func picture() async throws {
        let path = state.path("picture.png")
        let made = try await Repository.run(Repository.path("compose/local"), ["picture", path])
        #expect(made.status == 0, "\(made.errors)")
        let bytes = try Data(contentsOf: URL(filePath: path))
        #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
        let again = try await Repository.run(Repository.path("compose/local"), ["picture", path])
        #expect(again.status == 1)
        #expect(again.errors.contains("exists already"))
        #expect(try Data(contentsOf: URL(filePath: path)) == bytes)
        #expect(try await Repository.run(Repository.path("compose/local"), ["picture"]).status == 64)
        let lost = try await Repository.run(Repository.path("compose/local"), ["picture", state.path("no/a.png")])
        #expect(lost.status == 1)
        #expect(lost.errors.hasSuffix("compose/local: \(state.path("no")) is not a folder\n"), "\(lost.errors)")
    }

    @Test("queues/README.md says how to run each program that it lists")
    func programs() throws {
        let readme = try Repository.text("queues/README.md")
        let programs = try Repository.all(#"^\| `(\w+\.py)` \|"#, in: readme)
        #expect(programs == ["example.py", "client_tour.py"])
        for program in programs { #expect(readme.contains("/usr/bin/python3 queues/\(program)\n")) }
    }

    @Test(
        "queues/example.py with other arguments than those of receipt prints its usage, and sends nothing",
        arguments: [
            ["receipt"], ["receipt", "a", "b"], ["receipt", "a", "b", "c", "d"], ["receipts", "a", "b", "c"],
        ])
    func usage(arguments: [String]) async throws {
        let result = try await Repository.run(
            "/usr/bin/python3", [Repository.path("queues/example.py")] + arguments,
            ["WARREN_INTEGRATOR_URL": "amqp://x:x@127.0.0.1:1/"])
        #expect(result.status == 64)
        #expect(result.errors == "usage: example.py [receipt MESSAGE-ID ACCOUNT-ID USERNAME]\n")
        #expect(result.text.isEmpty)
    }

    @Test("compose/local env says on standard error which stack it describes, and prints only exports for the shell")
    func environment() async throws {
        let settings = """
            REDIS_PORT=1001 LIMITS_PORT=1002 AMQP_PORT=1003 POSTGRES_PORT=1004 CLOUDINARY_PORT=1005 HTTP_PORT=1006
            """
        let result = try await run(
            "make_state_folder\n\(settings)\nrequire_started() { :; }\nprint_env",
            parts: [
                "secrets", "process", "rabbitmq", "cluster", "postgres", "redis", "servers", "daemons", "addresses",
                "commands",
            ])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("\(state.path) (not running, http://127.0.0.1:1006)"))
        #expect(result.text.split(separator: "\n").allSatisfy { $0.hasPrefix("export ") })
        #expect(result.text.contains("export WARREN_URL=http://127.0.0.1:1006\n"))
    }
}
