import Foundation
import LocalStack
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Clients", .timeLimit(.minutes(5))) struct Clients {
        /// Runs a body with the path of a picture.
        private func withPicture(_ body: (String) async throws -> Void) async throws {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let picture = folder.path("picture.png")
            try Data(RandomPNG.make()).write(to: URL(filePath: picture))
            try await body(picture)
        }

        @Test(
            "the page /docs tries the API in Chromium: with the keyboard, in dark mode, without another server"
        )
        func docsPage() async throws {
            try await withPicture { picture in
                let exit = try await Program(
                    path: "/usr/bin/python3",
                    arguments: [
                        RepositoryFile("Tests/Journeys/Clients/docs_page.py").path,
                        TestEnvironment.value("WARREN_URL"), picture,
                    ]
                ).run()
                #expect(exit.status == 0, "\(exit.output)\(exit.errors)")
            }
        }

        @Test("the first calls of the README succeed, also when they are run again")
        func firstCalls() async throws {
            let readme = try RepositoryFile("README.md").text
            let section = try #require(readme.range(of: "## First calls"))
            let start = try #require(readme.range(of: "```sh\n", range: section.upperBound..<readme.endIndex))
            let end = try #require(readme.range(of: "```", range: start.upperBound..<readme.endIndex))
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            // Another account than that of an operator who has tried the commands. The pictures stay in the folder.
            let script = readme[start.upperBound..<end.lowerBound]
                .replacing("ada", with: "ada\(randomWord(10))")
                .replacing("/tmp/picture.png", with: folder.path("a.png"))
            func run(_ script: Substring, options: String = "-euo pipefail") async throws -> Program.Exit {
                try await Program(
                    path: "/bin/bash",
                    arguments: ["-c", "cd '\(RepositoryFile("").path)'; set \(options)\n\(script)"]
                ).run()
            }
            for round in 1...2 {
                let exit = try await run(script)
                #expect(exit.status == 0, "\(exit.errors)")
                for part in [#""content":"Hello, burrow""#, #""totalPosts":"#, #""contentType":"image/png""#] {
                    #expect(exit.output.contains(part), "run \(round): \(exit.output)")
                }
                #expect(!exit.output.contains("urn:warren:problem"), "run \(round): \(exit.output)")
            }
            // If there is no session, the reason is shown.
            let setUp = "eval \"$(compose/local env)\"\n"
            try #require(script.contains(setUp))
            for (change, reason) in [
                (script.replacing("a long enough phrase", with: "another long phrase"), "invalid-credentials"),
                (script.replacing("a long enough phrase", with: "short").replacing("ada", with: "eve"), "/password"),
                (script.replacing(setUp, with: setUp + "WARREN_URL=http://127.0.0.1:1\n"), "No session: \n"),
            ] {
                let exit = try await run(change, options: "+e")
                #expect(exit.output.contains("No session: "), "\(reason): \(exit.output)")
                #expect(exit.output.contains(reason), "\(reason): \(exit.output)")
            }
        }

        @Test("the example of a database that a service may not use says that the refusal is intended")
        func refusedDatabase() async throws {
            let readme = try RepositoryFile("compose/README.md").text
            let end = try #require(readme.range(of: "/identity\" -c 'SELECT 1'"))
            let start = try #require(
                readme.range(of: "```sh\n", options: .backwards, range: readme.startIndex..<end.lowerBound))
            let close = try #require(readme.range(of: "```", range: start.upperBound..<readme.endIndex))
            let script = readme[start.upperBound..<close.lowerBound]
            func run(_ script: some StringProtocol, options: String) async throws -> Program.Exit {
                try await Program(
                    path: "/bin/bash",
                    arguments: ["-c", "cd '\(RepositoryFile("").path)'; set \(options)\n\(script)"]
                ).run()
            }
            let exit = try await run(script, options: "-e")
            #expect(exit.status == 0, "\(exit.errors)")
            #expect(exit.output.contains("database \"identity\""))
            #expect(exit.output.contains("Refused, as intended"))
            // Another failure is shown, and is not called intended.
            let other = try await run(script.replacing("/identity", with: "/no-such-database"), options: "+e")
            #expect(other.output.contains("\"no-such-database\""))
            #expect(!other.output.contains("Refused, as intended"), "\(other.output)")
        }

        @Test(
            "queues/example.py explains that its command is carried out later if no worker replies"
        )
        @Loop func noWorker() async throws {
            let stack = try Stack()
            let example = RepositoryFile("queues/example.py").path
            try await stack.scale("post", 0)
            let exit = await outcome { try await Program(path: "/usr/bin/python3", arguments: [example]).run() }
            try await stack.scale("post", 1)
            let errors = try exit.get().errors
            #expect(try exit.get().status == 1)
            #expect(errors.contains("it is carried out as soon as a worker runs"), "\(errors)")
            let line = try #require(errors.split(separator: "\n").last { $0.contains(" receipt ") })
            let words = line.split(separator: " ").map(String.init)
            let isDone = try await eventually(within: .seconds(20)) {
                let receipt = try await Program(path: "/usr/bin/python3", arguments: [example] + words.dropFirst(2))
                    .run()
                return receipt.output.contains(#""status": "done""#)
            }
            #expect(isDone)
            // The account and its name; a command with a new id does not exist.
            let unknown = try await Program(
                path: "/usr/bin/python3", arguments: [example, "receipt", UUID().uuidString] + words.suffix(2)
            ).run()
            #expect(unknown.output.contains("The command still waits"), "\(unknown.output)")
        }
    }
}
