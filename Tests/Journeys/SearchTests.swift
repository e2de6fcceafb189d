import AMQP
import Contracts
import Foundation
import Postgres
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Search") struct Searching {
        @Test("what was posted or deleted shows within a second, also where nothing was found just before")
        @Loop func withinASecond() async throws {
            let anyone = try Client()
            let client = anyone.by(try await Person.register(anyone))
            let (word, limit) = (Fresh.word(14), Duration.seconds(1))
            for number in 1...5 {
                #expect(try await client.search(word).expect(200)["totalPosts"]?.integer == 0)
                let post = try await client.write("number \(number) of \(word)").expect(201).text("id")
                let isFound = try await eventually(within: limit) {
                    try await client.search(word).expect(200).ids("posts") == [post]
                }
                #expect(isFound, "posted")
                try await client.delete("/v1/posts/\(post)").expect(204)
                let isGone = try await eventually(within: limit) {
                    try await client.search(word).expect(200)["totalPosts"]?.integer == 0
                }
                #expect(isGone, "deleted")
            }
        }

        @Test("a search is answered as the contract has it, mistyped too")
        @Loop func answer() async throws {
            let anyone = try Client()
            let person = try await Person.register(anyone)
            let client = anyone.by(person)
            let (word, other) = (Fresh.word(14), Fresh.word(14))
            let post = try await client.write("<i>\(word) & \(other)").expect(201)
            let id = try post.text("id")
            _ = try await eventually { try await client.search(word).expect(200).ids("posts") == [id] }
            let mistyped = word.prefix(6) + "e" + word.dropFirst(6)
            for query in [
                word, "\(word)%20\(other)", "%22\(word)%20\(other)%22", "\(other)%20or%20nobody\(word)",
                "\(word)%20-nobody",
                String(word.prefix(10)), String(mistyped),
            ] {
                let page = try await client.search(query).expect(200)
                #expect(page.ids("posts") == [id], "\(query)")
                #expect(page["page"]?.integer == 1)
                #expect(page["limit"]?.integer == 10)
                #expect(page["totalPosts"]?.integer == 1)
                #expect(page["totalPages"]?.integer == 1)
                let hit = try #require(page["posts"]?.array?.first)
                #expect(hit["author"]?["id"]?.string == person.id)
                #expect(hit["author"]?["username"]?.string == person.username)
                #expect(hit["content"]?.string == "<i>\(word) & \(other)")
                #expect(hit["createdAt"] == post["createdAt"])
                #expect(
                    try hit.text("highlight").hasPrefix("&lt;i&gt;<mark>") || hit.text("highlight").contains("<mark>"))
                #expect(try !hit.text("highlight").contains("<i>"))
            }
            #expect(try await client.search("\(word)%20-\(other)").expect(200).ids("posts").isEmpty)
            let past = try await client.search("\(mistyped)&page=7&limit=3").expect(200)
            #expect(past.ids("posts").isEmpty)
            #expect(past["totalPosts"]?.integer == 1)
        }

        @Test(
            "what is no search is refused with what is wrong",
            arguments: [
                ("", "/query"), ("query=", "/query"), ("query=%20%20", "/query"),
                ("query=" + String(repeating: "a", count: 201), "/query"), ("query=a&limit=0", "/limit"),
                ("query=a&limit=101", "/limit"), ("query=a&page=0", "/page"), ("query=a&page=1e9", "/page"),
                ("query=%00", "/query"),
            ])
        @Loop func refusals(query: String, pointer: String) async throws {
            let anyone = try Client()
            let client = anyone.by(try await Person.register(anyone))
            let problem = try await client.get("/v1/search/posts?\(query)").expectProblem(422, "invalid")
            #expect(problem["errors"]?.array?.first?["pointer"]?.string == pointer)
            try await anyone.get("/v1/search/posts?query=a").expectProblem(401, "unauthenticated")
        }
    }

    @Suite("Rebuilding the search index", .timeLimit(.minutes(3))) struct Rebuilding {
        @Test(
            "an index that was emptied has every post again, while searches are answered, and what is deleted stays gone"
        )
        @Loop func empties() async throws {
            let stack = try Stack()
            let anyone = try Client()
            let client = anyone.by(try await Person.register(anyone))
            let word = Fresh.word(14)
            var posts: [String] = []
            for number in 0..<30 { posts.append(try await client.write("\(word) \(number)").expect(201).text("id")) }
            #expect(try await eventually { try await total(client, word) == 30 })
            try await truncate()
            async let rebuilding = stack.compose("rebuild-search")
            // Meanwhile everything goes on.
            let newcomer = try await client.write("\(word) meanwhile").expect(201).text("id")
            for post in posts.prefix(5) {
                try await client.delete("/v1/posts/\(post)").expect(204)
                try await client.search(word).expect(200)
            }
            let output = try await rebuilding
            #expect(output.contains("done: "))
            let isWhole = try await eventually(within: .seconds(5)) { try await total(client, word) == 26 }
            #expect(isWhole)
            let found = try await client.search("\(word)&limit=100").expect(200).ids("posts")
            #expect(Set(found) == Set(posts.dropFirst(5) + [newcomer]))
            let again = try await stack.compose("rebuild-search")
            #expect(again.contains("0 added, 0 removed"), "\(again)")
            #expect(try await client.search("\(word)&limit=100").expect(200).ids("posts") == found)
        }

        @Test("a post that the index has and the post service has not is removed")
        @Loop func removes() async throws {
            let stack = try Stack()
            let anyone = try Client()
            let client = anyone.by(try await Person.register(anyone))
            let word = Fresh.word(14)
            try await Database.look("search") { pool in
                let insert = Statement(
                    """
                    INSERT INTO documents (id, author_id, author_name, content, created_at, words)
                    VALUES ($1, $1, 'nobody', $2::text, now() - interval '1 hour', to_tsvector('english', $2::text))
                    """)
                _ = try await pool.query(insert, UUID(), "a ghost: \(word)")
            }
            #expect(try await total(client, word) == 1)
            try await stack.compose("rebuild-search")
            #expect(try await total(client, word) == 0)
        }

        @Test("only the search service may ask for posts in its own name, and no more than posts")
        @Loop func privilege() async throws {
            try await Integrator.run { integrator in
                let reply = try await integrator.call("post.list", ["limit": 1])
                #expect(reply.status == 401)
            }
        }

        @Test("one at a time: while one rebuilds, another is told so and ends with 75", .timeLimit(.minutes(1)))
        @Loop func alone() async throws {
            let stack = try Stack()
            let reader = Consumer(
                address: try BrokerAddress(url: stack.secret("search-amqp.url")), name: "journeys",
                subscriptions: [.queue(Queue.searchReplies, prefetch: 1, isExclusive: true) { $0.ack() }],
                log: CapturedLog().logger)
            async let running: Void = reader.run()
            #expect(await reader.waitUntilConsuming(within: .seconds(10)))
            let ended = try await Command(path: Stack.file("compose/local"), arguments: ["rebuild-search"]).run()
            #expect(ended.status == 75)
            #expect(ended.errors.contains("another rebuild"), "\(ended.errors)")
            await reader.close()
            await running
        }

        @Test("without its settings it ends with 78 and names what is missing")
        @Loop func settings() async throws {
            let stack = try Stack()
            let worker = try FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/\(stack.pid("search-1"))/exe")
            let program = URL(filePath: worker).deletingLastPathComponent().appending(path: "warren")
            let ended = try await Command(
                path: program.path(percentEncoded: false), arguments: ["search", "rebuild"], environment: [:]
            ).run()
            #expect(ended.status == 78)
            #expect(ended.errors.contains("WARREN_AMQP_URL"), "\(ended.errors)")
        }

        @Loop private func total(_ client: Client, _ word: String) async throws -> Int64? {
            try await client.search(word).expect(200)["totalPosts"]?.integer
        }

        /// Empties the index as its owner may, and has every cached answer forgotten.
        @Loop private func truncate() async throws {
            try await Database.look("search") { pool in
                _ = try await pool.query(Statement("TRUNCATE documents, vocabulary"))
            }
        }
    }
}
