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
                .replacing("ada", with: "ada\(randomWord(10))").replacing("picture.png", with: folder.path("a.png"))
            for round in 1...2 {
                let exit = try await Program(
                    path: "/bin/bash",
                    arguments: ["-c", "cd '\(RepositoryFile("").path)'; set -euo pipefail\n\(script)"]
                ).run()
                #expect(exit.status == 0, "\(exit.errors)")
                for part in [#""content":"Hello, burrow""#, #""totalPosts":"#, #""contentType":"image/png""#] {
                    #expect(exit.output.contains(part), "run \(round): \(exit.output)")
                }
                #expect(!exit.output.contains("urn:warren:problem"), "run \(round): \(exit.output)")
            }
        }

        @Test("the example of a database that a service may not use says that the refusal is intended")
        func refusedDatabase() async throws {
            let readme = try RepositoryFile("compose/README.md").text
            let end = try #require(readme.range(of: "/identity\" -c 'SELECT 1' ||"))
            let start = try #require(
                readme.range(of: "```sh\n", options: .backwards, range: readme.startIndex..<end.lowerBound))
            let close = try #require(readme.range(of: "```", range: start.upperBound..<readme.endIndex))
            let script = readme[start.upperBound..<close.lowerBound]
            let exit = try await Program(
                path: "/bin/bash", arguments: ["-c", "cd '\(RepositoryFile("").path)'; set -e\n\(script)"]
            ).run()
            #expect(exit.status == 0, "\(exit.errors)")
            #expect(exit.errors.contains("database \"identity\""))
            #expect(exit.output.contains("Refused, as intended"))
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
        }
    }
}
