import FaultProxy
import Foundation
import LocalStack
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Shutdown", .timeLimit(.minutes(2))) struct Shutdown {
        @Test("an idle daemon ends with status 0 within 30 s of SIGTERM", arguments: Stack.daemons)
        @Loop func idle(service: String) async throws {
            let stack = try Stack()
            let daemon = try await stack.startReady(service)
            defer { daemon.removeFiles() }
            let start = ContinuousClock.now
            daemon.send(SIGTERM)
            let status = try await daemon.waitForExit(within: .seconds(40))
            #expect(status == 0, "\(daemon.errors.suffix(2000))")
            #expect(ContinuousClock.now - start < .seconds(30))
        }

        @Test(
            "a worker that waits for its servers at its start ends with status 0 after SIGTERM",
            arguments: Stack.workers)
        @Loop func waiting(service: String) async throws {
            let closedPort = "127.0.0.1:\(try freePort())"
            let daemon = try Stack().startCopy(
                of: "\(service)-1",
                [
                    "WARREN_DATABASE_URL": "postgresql://a:b@\(closedPort)/c", "WARREN_DATABASE_URL_FILE": "",
                    "WARREN_AMQP_URL": "amqp://a:b@\(closedPort)/c", "WARREN_AMQP_URL_FILE": "",
                ])
            defer { daemon.removeFiles() }
            #expect(try await eventually(within: .seconds(20)) { daemon.errors.contains("waiting") })
            daemon.send(SIGTERM)
            #expect(try await daemon.waitForExit(within: .seconds(10)) == 0, "\(daemon.errors.suffix(2000))")
        }

        @Test(
            "a worker touches its health file while it is ready, and removes it when it stops",
            arguments: Stack.workers)
        @Loop func healthFile(service: String) async throws {
            let file = Stack.temporaryPath("health")
            let daemon = try await Stack().startReadyWorker(service, ["WARREN_HEALTH_FILE": file])
            defer { daemon.removeFiles() }
            let check = Program(
                path: RepositoryFile("compose/healthy").path, arguments: ["file"],
                environment: ["WARREN_HEALTH_FILE": file])
            #expect(try await eventually { try await check.run().status == 0 })
            daemon.send(SIGTERM)
            #expect(try await daemon.waitForExit(within: .seconds(40)) == 0)
            #expect(try await check.run().status != 0)
        }

        @Test("a worker under load ends with status 0 after SIGTERM, and every command is carried out once")
        @Loop func inFlight() async throws {
            let stack = try Stack()
            let client = try APIClient()
            let author = try await TestAccount.register(client)
            let mark = "shutdown-\(randomWord(12))"
            let worker = try await stack.startReadyWorker("post")
            defer { worker.removeFiles() }
            let statuses = try await withThrowingTaskGroup(of: [Int].self) { group in
                for writer in 0..<12 {
                    group.addTask { try await createPosts(15, "\(mark) \(writer)", client.signedIn(as: author)) }
                }
                try #require(try await eventually { worker.errors.contains("post.create") })
                worker.send(SIGTERM)
                var statuses: [Int] = []
                for try await some in group { statuses += some }
                return statuses
            }
            #expect(try await worker.waitForExit(within: .seconds(40)) == 0)
            #expect(statuses == Array(repeating: 201, count: 180))
            let contents = try await ServiceDatabase.contentCounts("post", "posts", startingWith: mark)
            #expect(contents.count == 180)
            #expect(contents.values.allSatisfy { $0 == 1 })
            let handled = worker.errors.split(separator: "\n").filter { $0.contains("post.create") }.count
            #expect((1..<180).contains(handled), "the stopped worker handled \(handled) of 180 commands")
        }

        /// Creates posts one after another, and returns the statuses.
        @Loop private func createPosts(_ count: Int, _ content: String, _ client: APIClient) async throws -> [Int] {
            var statuses: [Int] = []
            for number in 0..<count { statuses.append(try await client.createPost("\(content) \(number)").status) }
            return statuses
        }
    }
}
