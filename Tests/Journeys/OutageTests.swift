import Contracts
import Foundation
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Outages and signals", .timeLimit(.minutes(3))) struct Outages {
        @Test("a daemon ignores SIGHUP, SIGUSR1 and SIGUSR2", arguments: Stack.daemons)
        @Loop func signals(service: String) async throws {
            let stack = try Stack()
            let daemon =
                service == "ingress"
                ? try await stack.startReadyIngress().process : try await stack.startReadyWorker(service)
            defer { daemon.removeFiles() }
            // A signal that ended the daemon would be in its exit status.
            for signal in [SIGHUP, SIGUSR1, SIGUSR2] {
                daemon.send(signal)
                try await Task.sleep(for: .milliseconds(100))
            }
            daemon.send(SIGTERM)
            #expect(try await daemon.waitForExit(within: .seconds(40)) == 0, "\(daemon.errors.suffix(2000))")
        }

        @Test("if the queue of commands is deleted, only commands get 503, and its import ends the outage")
        @Loop func deletedQueue() async throws {
            let stack = try Stack()
            let author = try await APIClient.registered()
            let post = try await author.createPost("before").expect(201).text("id")
            _ = try await stack.rabbitmqctl("delete_queue", "-p", "warren", "post.commands")
            do {
                let isRefused = try await eventually(within: .seconds(20)) {
                    try await author.createPost("while the queue is missing").status == 503
                }
                #expect(isRefused)
                for _ in 0..<10 { try await author.get("/v1/posts/\(post)").expect(200) }
                let health = try await author.get("/health/ready")
                let missing = try health.json["missingQueues"]?.array?.map(\.string)
                #expect(missing == ["post.commands"])
                let problem = try stack.logLines(of: "post-1", containing: "post.commands")
                #expect(!problem.isEmpty, "the log of the worker must name the queue")
            } catch {
                try await importDefinitions(stack)
                throw error
            }
            try await importDefinitions(stack)
            let isServed = try await eventually(within: .seconds(20)) {
                try await author.createPost("after").status == 201
            }
            #expect(isServed)
            let isReady = try await eventually(within: .seconds(20)) {
                try await author.get("/health/ready").json["missingQueues"]?.array == []
            }
            #expect(isReady)
        }

        @Loop private func importDefinitions(_ stack: Stack) async throws {
            _ = try await stack.rabbitmqctl("import_definitions", RepositoryFile("queues/definitions.json").path)
        }
    }
}
