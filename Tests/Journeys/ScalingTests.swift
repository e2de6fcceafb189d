import Contracts
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Workers come and go", .timeLimit(.minutes(2))) struct Scaling {
        @Test("three workers of a service share its queue's load")
        @Loop func spreads() async throws {
            let stack = try Stack()
            let client = try Client()
            let author = try await Person.register(client)
            try await stack.scale("post", 3)
            try await expectConsumers(stack, 3)
            let mark = "spread-\(Fresh.word(12))"
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        try await client.by(author).send(
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
            let shares = try (1...3).map { number in
                try stack.log("post-\(number)", about: mark).filter { $0["message"]?.string == "handled" }.count
            }
            #expect(shares.reduce(0, +) == 60, "\(shares)")
            #expect(shares.allSatisfy { $0 > 0 }, "\(shares)")
            try await stack.scale("post", 1)
            try await expectConsumers(stack, 1)
        }

        @Test("compose/local scale succeeds at a log level at which a worker logs nothing")
        @Loop func silentWorker() async throws {
            let stack = try Stack()
            var scale = Command(path: Stack.file("compose/local"), arguments: ["scale", "post", "2"])
            scale.environment["WARREN_LOG_LEVEL"] = "critical"
            try await scale.succeed()
            try await expectConsumers(stack, 2)
            try await stack.scale("post", 1)
            try await expectConsumers(stack, 1)
        }

        @Test("without a post worker a post is accepted with 202, and is there once a worker is back")
        @Loop func acceptsWithoutWorker() async throws {
            let stack = try Stack()
            let client = try Client()
            let author = try await Person.register(client)
            let content = "late \(Fresh.word(12))"
            try await stack.scale("post", 0)
            async let reading = client.by(author).get("/v1/posts")
            async let searching = client.by(author).search("anything")
            let accepted = try await client.by(author).write(content)
            let receipt = try accepted.expect(202)
            #expect(receipt["status"]?.string == "accepted")
            #expect(receipt["id"]?.string?.isEmpty == false)
            try await reading.expectProblem(504, "deadline-exceeded")
            try await searching.expect(200)
            #expect(try await Database.contents("post", "posts", marked: content).isEmpty)
            try await stack.scale("post", 1)
            let isThere = try await eventually(within: .seconds(10)) {
                try await client.by(author).get("/v1/posts?limit=100").expect(200)["posts"]?.array?.contains {
                    $0["content"]?.string == content
                } == true
            }
            #expect(isThere)
            #expect(try await Database.contents("post", "posts", marked: content) == [content: 1])
        }

        @Test("without the search worker everything else works, and it catches up from its queue")
        @Loop func searchCatchesUp() async throws {
            let stack = try Stack()
            let anyone = try Client()
            let author = try await Person.register(anyone)
            let client = anyone.by(author)
            let (kept, dropped) = (Fresh.word(14), Fresh.word(14))
            try await stack.scale("search", 0)
            async let searching = client.search(kept)
            let media = try await client.upload(Picture.png()).expect(201).text("id")
            let post = try await client.write("Found later: \(kept)", media: [media]).expect(201).text("id")
            let other = try await client.write("Never found: \(dropped)").expect(201).text("id")
            try await client.get("/v1/posts/\(post)").expect(200)
            try await client.get("/v1/posts").expect(200)
            try await client.delete("/v1/posts/\(other)").expect(204)
            try await anyone.post("/v1/auth/login", author.credentials).expect(200)
            try await searching.expectProblem(504, "deadline-exceeded")
            try await stack.scale("search", 1)
            let isFound = try await eventually(within: .seconds(10)) {
                try await client.search(kept).expect(200).ids("posts") == [post]
            }
            #expect(isFound)
            #expect(try await client.search(dropped).expect(200).ids("posts").isEmpty)
        }

        @Test("with Redis gone requests are served, and when it is back no cache shows what was deleted")
        @Loop func redisGone() async throws {
            let stack = try Stack()
            let anyone = try Client()
            let author = try await Person.register(anyone)
            let client = anyone.by(author)
            let word = Fresh.word(14)
            let before = try await client.write("Before: \(word)").expect(201).text("id")
            try await client.get("/v1/posts/\(before)").expect(200)
            try await stack.end("redis-1", 15)
            try await anyone.post("/v1/auth/login", author.credentials).expect(200)
            let post = try await client.write("Meanwhile: \(word)").expect(201).text("id")
            try await client.get("/v1/posts/\(post)").expect(200)
            #expect(try await client.get("/v1/posts?limit=100").expect(200).ids("posts").contains(post))
            let isFound = try await eventually(within: .seconds(5)) {
                try await Set(client.search(word).expect(200).ids("posts")) == [before, post]
            }
            #expect(isFound)
            try await client.delete("/v1/posts/\(before)").expect(204)
            try await client.get("/v1/posts/\(before)").expect(404)
            try await stack.compose("servers")
            #expect(try await eventually(within: .seconds(15)) { try await anyone.get("/health/ready").status == 200 })
            for _ in 0..<5 {
                try await client.get("/v1/posts/\(before)").expect(404)
                try await client.get("/v1/posts/\(post)").expect(200)
            }
        }

        /// The broker's own counts lag some seconds behind.
        @Loop private func expectConsumers(_ stack: Stack, _ count: Int) async throws {
            for queue in ["post.commands", "post.queries"] {
                let isSo = try await eventually(within: .seconds(15)) { try await consumers(stack, queue) == count }
                #expect(isSo, "\(queue) has not \(count) consumers")
            }
        }

        @Loop private func consumers(_ stack: Stack, _ queue: String) async throws -> Int? {
            let lines = try await stack.rabbitmqctl("list_queues", "-p", "warren", "name", "consumers")
            let words = lines.split(separator: "\n").map { $0.split(separator: "\t") }
            return words.first { $0.first == queue[...] }.flatMap { $0.last.flatMap { Int($0) } }
        }
    }
}
