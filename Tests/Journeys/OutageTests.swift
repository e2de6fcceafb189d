import Contracts
import Foundation
import LocalStack
import Postgres
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Outages and signals", .timeLimit(.minutes(3))) struct Outages {
        @Test("a daemon ignores SIGHUP, SIGUSR1 and SIGUSR2", arguments: Stack.daemons)
        @Loop func signals(service: String) async throws {
            let stack = try Stack()
            let daemon = try await stack.startReady(service)
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

        /// RabbitMQ closes the channel of a consumer that does not acknowledge a delivery within `consumer_timeout`.
        @Test("a command that waits longer than the broker's consumer_timeout is delivered again and carried out once")
        @Loop func consumerTimeout() async throws {
            let stack = try Stack()
            let result = await outcome {
                try await stack.restartPost(timeout: 1_000, tick: 500)
                try await commandsWaitForLock(stack)
            }
            try await stack.restartPost(timeout: 1_800_000, tick: 60_000)
            try result.get()
        }

        /// Sends commands while the inbox is locked, until the broker has closed the channel of commands.
        @Loop private func commandsWaitForLock(_ stack: Stack) async throws {
            let author = try await APIClient.registered()
            let content = "locked \(randomWord(12))"
            let reason = "delivery acknowledgement on channel"
            let logged = try stack.logLines(of: "post-1", containing: reason).count
            let dead = try await stack.depth(of: "post.commands.dead")
            var location = ""
            try await ServiceDatabase.withPool(of: "post") { pool in
                let transaction = try await pool.begin()
                _ = try await transaction.query(Statement("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE"))
                let accepted = try await author.createPost(content, headers: [(name: "Prefer", value: "respond-async")])
                try accepted.expect(202)
                location = try #require(accepted.header("Location"))
                let isClosed = try await eventually(within: .seconds(20)) {
                    try stack.logLines(of: "post-1", containing: reason).count > logged
                }
                #expect(isClosed)
                try await author.get("/v1/posts").expect(200)
                await transaction.rollback()
            }
            let isDone = try await eventually(within: .seconds(30)) {
                try await author.get(location).expect(200)["status"]?.string == "done"
            }
            #expect(isDone)
            #expect(try await ServiceDatabase.contentCounts("post", "posts", startingWith: content) == [content: 1])
            #expect(try await stack.depth(of: "post.commands.dead") == dead)
        }

        @Loop private func importDefinitions(_ stack: Stack) async throws {
            _ = try await stack.rabbitmqctl("import_definitions", RepositoryFile("queues/definitions.json").path)
        }
    }
}

extension Stack {
    /// Sets how long the broker waits for acknowledgements, and restarts the post worker, so that it has new channels.
    ///
    /// - Parameters:
    ///   - timeout: `consumer_timeout`, in milliseconds.
    ///   - tick: how often a new channel compares its deliveries with the timeout, in milliseconds.
    @Loop fileprivate func restartPost(timeout: Int, tick: Int) async throws {
        for (name, value) in [("consumer_timeout", timeout), ("channel_tick_interval", tick)] {
            _ = try await rabbitmqctl("eval", "application:set_env(rabbit, \(name), \(value)).")
        }
        try await scale("post", 0)
        try await scale("post", 1)
    }
}
