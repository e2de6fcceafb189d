import Contracts
import Glibc
import LocalStack
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Scaling and outages", .timeLimit(.minutes(2))) struct Scaling {
        @Test("three workers of a service share its commands")
        @Loop func spreads() async throws {
            let stack = try Stack()
            let client = try APIClient()
            let author = try await TestAccount.register(client)
            try await stack.scale("post", 3)
            try await expectConsumers(stack, 3)
            let mark = "spread-\(randomWord(12))"
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        try await client.signedIn(as: author).send(
                            "POST", "/v1/posts", json: ["content": .string("\(mark) \(number)")],
                            requestID: "\(mark)-\(number)"
                        ).status
                    }
                }
                var statuses: [Int] = []
                for try await status in group { statuses.append(status) }
                return statuses
            }
            #expect(statuses == Array(repeating: 201, count: 60))
            var shares: [Int] = []
            // A worker writes its log lines some milliseconds after the replies.
            _ = try await eventually {
                shares = try (1...3).map { number in
                    try stack.logLines(of: "post-\(number)", containing: mark)
                        .count { $0["message"]?.string == "handled" }
                }
                return shares.reduce(0, +) >= 60
            }
            #expect(shares.reduce(0, +) == 60, "\(shares)")
            #expect(shares.allSatisfy { $0 > 0 }, "\(shares)")
            try await stack.scale("post", 1)
            try await expectConsumers(stack, 1)
        }

        @Test("compose/local scale succeeds if the log level hides the workers' log lines")
        @Loop func silentWorker() async throws {
            let stack = try Stack()
            var scale = Program(path: RepositoryFile("compose/local").path, arguments: ["scale", "post", "2"])
            scale.environment["WARREN_LOG_LEVEL"] = "critical"
            try await scale.runSuccessfully()
            try await expectConsumers(stack, 2)
            try await stack.scale("post", 1)
            try await expectConsumers(stack, 1)
        }

        @Test("without a post worker a new post gets 202, and is stored once after a worker starts")
        @Loop func acceptsWithoutWorker() async throws {
            let stack = try Stack()
            let client = try APIClient()
            let author = try await TestAccount.register(client)
            let content = "late \(randomWord(12))"
            try await stack.scale("post", 0)
            async let reading = client.signedIn(as: author).get("/v1/posts")
            async let searching = client.signedIn(as: author).search("anything")
            let accepted = try await client.signedIn(as: author).createPost(content)
            let receipt = try accepted.expect(202)
            #expect(receipt["status"]?.string == "accepted")
            #expect(receipt["id"]?.string?.isEmpty == false)
            try await reading.expectProblem(504, "deadline-exceeded")
            try await searching.expect(200)
            #expect(try await ServiceDatabase.contentCounts("post", "posts", startingWith: content).isEmpty)
            try await stack.scale("post", 1)
            let isThere = try await eventually(within: .seconds(10)) {
                try await client.signedIn(as: author).get("/v1/posts?limit=100").expect(200)["posts"]?.array?.contains {
                    $0["content"]?.string == content
                } == true
            }
            #expect(isThere)
            #expect(try await ServiceDatabase.contentCounts("post", "posts", startingWith: content) == [content: 1])
        }

        @Test("without the search worker all other services work, and the index catches up after it starts")
        @Loop func searchCatchesUp() async throws {
            let stack = try Stack()
            let anonymous = try APIClient()
            let author = try await TestAccount.register(anonymous)
            let client = anonymous.signedIn(as: author)
            let (kept, dropped) = (randomWord(14), randomWord(14))
            try await stack.scale("search", 0)
            async let searching = client.search(kept)
            let media = try await client.upload(RandomPNG.make()).expect(201).text("id")
            let post = try await client.createPost("found later: \(kept)", media: [media]).expect(201).text("id")
            let other = try await client.createPost("never found: \(dropped)").expect(201).text("id")
            try await client.get("/v1/posts/\(post)").expect(200)
            try await client.get("/v1/posts").expect(200)
            try await client.delete("/v1/posts/\(other)").expect(204)
            try await anonymous.post("/v1/auth/login", author.credentials).expect(200)
            try await searching.expectProblem(504, "deadline-exceeded")
            try await stack.scale("search", 1)
            let isFound = try await eventually(within: .seconds(10)) {
                try await client.search(kept).expect(200).ids("posts") == [post]
            }
            #expect(isFound)
            #expect(try await client.search(dropped).expect(200).ids("posts").isEmpty)
        }

        @Test("requests are served while both Redis servers are stopped, and no deleted post is served after a restart")
        @Loop func redisGone() async throws {
            let stack = try Stack()
            let anonymous = try APIClient()
            let author = try await TestAccount.register(anonymous)
            let client = anonymous.signedIn(as: author)
            let word = randomWord(14)
            let before = try await client.createPost("before: \(word)").expect(201).text("id")
            try await client.get("/v1/posts/\(before)").expect(200)
            try await stack.kill("redis-1", with: SIGTERM)
            try await stack.kill("limits-1", with: SIGTERM)
            try await anonymous.post("/v1/auth/login", author.credentials).expect(200)
            let post = try await client.createPost("meanwhile: \(word)").expect(201).text("id")
            try await client.get("/v1/posts/\(post)").expect(200)
            #expect(try await client.get("/v1/posts?limit=100").expect(200).ids("posts").contains(post))
            let isFound = try await eventually(within: .seconds(5)) {
                try await Set(client.search(word).expect(200).ids("posts")) == [before, post]
            }
            #expect(isFound)
            try await client.delete("/v1/posts/\(before)").expect(204)
            try await client.get("/v1/posts/\(before)").expect(404)
            try await stack.composeLocal("servers")
            let isBack = try await eventually(within: .seconds(15)) {
                try await anonymous.get("/health/ready").expect(200)["redis"]?.string == "up"
            }
            #expect(isBack)
            for _ in 0..<5 {
                try await client.get("/v1/posts/\(before)").expect(404)
                try await client.get("/v1/posts/\(post)").expect(200)
            }
        }

        /// Waits until both queues of the post service have `count` consumers. The counts of `rabbitmqctl` can be some
        /// seconds old.
        @Loop private func expectConsumers(_ stack: Stack, _ count: Int) async throws {
            for queue in ["post.commands", "post.queries"] {
                let matches = try await eventually(within: .seconds(15)) { try await consumers(stack, queue) == count }
                #expect(matches, "\(queue) does not have \(count) consumers")
            }
        }

        @Loop private func consumers(_ stack: Stack, _ queue: String) async throws -> Int? {
            let lines = try await stack.rabbitmqctl("list_queues", "-p", "warren", "name", "consumers")
            let words = lines.split(separator: "\n").map { $0.split(separator: "\t") }
            return words.first { $0.first == queue[...] }.flatMap { $0.last.flatMap { Int($0) } }
        }
    }
}
