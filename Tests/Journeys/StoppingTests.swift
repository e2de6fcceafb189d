import Foundation
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Stopping", .timeLimit(.minutes(2))) struct Stopping {
        @Test("SIGTERM ends an idle daemon with 0", arguments: Stack.daemons)
        @Loop func idle(service: String) async throws {
            let stack = try Stack()
            let port = service == "ingress" ? try freePort() : nil
            let changes = port.map { ["WARREN_HTTP_ADDRESS": "127.0.0.1:\($0)"] } ?? [:]
            let daemon = try stack.startAnother("\(service)-1", changes)
            defer { daemon.removeFiles() }
            try await becomeReady(daemon, port)
            let start = ContinuousClock.now
            daemon.signal(SIGTERM)
            let status = try await daemon.ended(within: .seconds(40))
            #expect(status == 0, "\(daemon.errors.suffix(2000))")
            #expect(ContinuousClock.now - start < .seconds(30))
        }

        @Test("SIGTERM ends a worker that still waits for its servers with 0", arguments: Stack.workers)
        @Loop func waiting(service: String) async throws {
            let nowhere = "127.0.0.1:\(try freePort())"
            let daemon = try Stack().startAnother(
                "\(service)-1",
                [
                    "WARREN_DATABASE_URL": "postgresql://a:b@\(nowhere)/c", "WARREN_DATABASE_URL_FILE": "",
                    "WARREN_AMQP_URL": "amqp://a:b@\(nowhere)/c", "WARREN_AMQP_URL_FILE": "",
                ])
            defer { daemon.removeFiles() }
            #expect(try await eventually(within: .seconds(20)) { daemon.errors.contains("waiting") })
            daemon.signal(SIGTERM)
            #expect(try await daemon.ended(within: .seconds(10)) == 0, "\(daemon.errors.suffix(2000))")
        }

        @Test("a worker's health file is fresh while it works and gone when it stops", arguments: Stack.workers)
        @Loop func healthFile(service: String) async throws {
            let file = FileManager.default.temporaryDirectory.appending(path: "healthy-\(Fresh.word(12))")
                .path(percentEncoded: false)
            let daemon = try Stack().startAnother("\(service)-1", ["WARREN_HEALTH_FILE": file])
            defer { daemon.removeFiles() }
            try await becomeReady(daemon)
            let check = Command(
                path: Stack.file("compose/healthy"), arguments: ["file"], environment: ["WARREN_HEALTH_FILE": file])
            #expect(try await eventually { try await check.run().status == 0 })
            daemon.signal(SIGTERM)
            #expect(try await daemon.ended(within: .seconds(40)) == 0)
            #expect(try await check.run().status != 0)
        }

        @Test("SIGTERM in the middle of the load ends a worker with 0 and loses nothing that it has in hand")
        @Loop func inHand() async throws {
            let stack = try Stack()
            let client = try Client()
            let author = try await Person.register(client)
            let mark = "inhand-\(Fresh.word(12))"
            let worker = try stack.startAnother("post-1")
            defer { worker.removeFiles() }
            try await becomeReady(worker)
            let statuses = try await withThrowingTaskGroup(of: [Int].self) { group in
                for writer in 0..<12 {
                    group.addTask { try await write(15, "\(mark) \(writer)", client.by(author)) }
                }
                try #require(try await eventually { worker.errors.contains("post.create") })
                worker.signal(SIGTERM)
                var statuses: [Int] = []
                for try await some in group { statuses += some }
                return statuses
            }
            #expect(try await worker.ended(within: .seconds(40)) == 0)
            #expect(statuses == Array(repeating: 201, count: 180))
            let contents = try await Database.contents("post", "posts", marked: mark)
            #expect(contents.count == 180)
            #expect(contents.values.allSatisfy { $0 == 1 })
            let handled = worker.errors.split(separator: "\n").filter { $0.contains("post.create") }.count
            #expect((1..<180).contains(handled), "the other worker had a share too, not \(handled) of 180")
        }

        /// Writes posts one after another.
        @Loop private func write(_ count: Int, _ content: String, _ client: Client) async throws -> [Int] {
            var statuses: [Int] = []
            for number in 0..<count { statuses.append(try await client.write("\(content) \(number)").status) }
            return statuses
        }

        /// Waits for a worker's health file, or for the ingress that listens on a port.
        @Loop private func becomeReady(_ daemon: Started, _ port: Int? = nil) async throws {
            let client = try port.map { try Client(url: "http://127.0.0.1:\($0)") }
            let isReady = try await eventually(within: .seconds(20)) {
                guard let client else { return daemon.isReady }
                return (try? await client.get("/health/ready").status) == 200
            }
            if !isReady { daemon.signal(SIGKILL) }
            try #require(isReady, "\(daemon.errors.suffix(2000))")
        }
    }
}
