import AMQP
import Contracts
import Foundation
import LocalStack
import Logging
import Postgres
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Search") struct SearchResults {
        @Test("a search finds a new post, and no longer finds a deleted post, within a second of the change")
        @Loop func withinASecond() async throws {
            let client = try await APIClient.registered()
            let (word, limit) = (randomWord(14), Duration.seconds(1))
            for number in 1...5 {
                #expect(try await client.search(word).expect(200)["totalPosts"]?.integer == 0)
                let post = try await client.createPost("number \(number) of \(word)").expect(201).text("id")
                let isFound = try await eventually(within: limit) {
                    try await client.search(word).expect(200).ids("posts") == [post]
                }
                #expect(isFound)
                try await client.delete("/v1/posts/\(post)").expect(204)
                let isGone = try await eventually(within: limit) {
                    try await client.search(word).expect(200)["totalPosts"]?.integer == 0
                }
                #expect(isGone)
            }
        }

        @Test(
            "a search finds words, phrases, alternatives, prefixes and mistyped words; hits have the contract's fields")
        @Loop func hits() async throws {
            let anonymous = try APIClient()
            let person = try await TestAccount.register(anonymous)
            let client = anonymous.signedIn(as: person)
            let (word, other) = (randomWord(14), randomWord(14))
            let post = try await client.createPost("<i>\(word) & \(other)").expect(201)
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
            "an invalid search gets 422 with a pointer, and a search without a token gets 401",
            arguments: [
                ("", "/query"), ("query=", "/query"), ("query=%20%20", "/query"),
                ("query=" + String(repeating: "a", count: 201), "/query"), ("query=a&limit=0", "/limit"),
                ("query=a&limit=101", "/limit"), ("query=a&page=0", "/page"), ("query=a&page=1e9", "/page"),
                ("query=%00", "/query"),
            ])
        @Loop func refusals(query: String, pointer: String) async throws {
            let anonymous = try APIClient()
            let client = anonymous.signedIn(as: try await TestAccount.register(anonymous))
            let problem = try await client.get("/v1/search/posts?\(query)").expectProblem(422, "invalid")
            #expect(problem["errors"]?.array?.first?["pointer"]?.string == pointer)
            try await anonymous.get("/v1/search/posts?query=a").expectProblem(401, "unauthenticated")
        }
    }

    @Suite("Rebuild of the search index", .timeLimit(.minutes(3))) struct IndexRebuild {
        @Test("a rebuild restores an emptied index while posts are created, deleted and searched")
        @Loop func restores() async throws {
            let stack = try Stack()
            let client = try await APIClient.registered()
            let word = randomWord(14)
            var posts: [String] = []
            for number in 0..<30 {
                posts.append(try await client.createPost("\(word) \(number)").expect(201).text("id"))
            }
            #expect(try await eventually { try await total(client, word) == 30 })
            try await truncate()
            async let rebuilding = stack.composeLocal("rebuild-search")
            // Posts are created and deleted during the rebuild.
            let newcomer = try await client.createPost("\(word) meanwhile").expect(201).text("id")
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
            let again = try await stack.composeLocal("rebuild-search")
            #expect(again.contains("0 added, 0 removed"), "\(again)")
            #expect(try await client.search("\(word)&limit=100").expect(200).ids("posts") == found)
        }

        @Test("a rebuild removes a post that the post service does not have")
        @Loop func removes() async throws {
            let stack = try Stack()
            let client = try await APIClient.registered()
            let word = randomWord(14)
            try await ServiceDatabase.withPool(of: "search") { pool in
                let insert = Statement(
                    """
                    INSERT INTO documents (id, author_id, author_name, content, created_at, words)
                    VALUES ($1, $1, 'nobody', $2::text, now() - interval '1 hour', to_tsvector('english', $2::text))
                    """)
                _ = try await pool.query(insert, UUID(), "unknown to the post service: \(word)")
            }
            #expect(try await total(client, word) == 1)
            try await stack.composeLocal("rebuild-search")
            #expect(try await total(client, word) == 0)
        }

        @Test("post.list without a subject gets 401 if an integrator sends it")
        @Loop func privilege() async throws {
            try await IntegratorClient.run { integrator in
                let reply = try await integrator.reply(to: "post.list", ["limit": 1])
                #expect(reply.status == 401)
            }
        }

        @Test("a rebuild ends with status 75 if another rebuild is running", .timeLimit(.minutes(1)))
        @Loop func alone() async throws {
            let stack = try Stack()
            let rebuild = Consumer(
                address: try BrokerAddress(url: stack.secret("search-amqp.url")), name: "journeys",
                subscriptions: [.queue(Queue.searchReplies, prefetch: 1, isExclusive: true) { $0.ack() }],
                log: CapturedLog().logger(.critical))
            async let running: Void = rebuild.run()
            #expect(await rebuild.waitUntilConsuming(within: .seconds(10)))
            let exit = try await Program(path: RepositoryFile("compose/local").path, arguments: ["rebuild-search"])
                .run()
            #expect(exit.status == 75)
            #expect(exit.errors.contains("another rebuild"), "\(exit.errors)")
            await rebuild.close()
            await running
        }

        @Test("a rebuild without its settings ends with status 78 and names a missing setting")
        @Loop func settings() async throws {
            let stack = try Stack()
            let exit = try await Program(
                path: try stack.warrenCommand(), arguments: ["search", "rebuild"], environment: [:]
            ).run()
            #expect(exit.status == 78)
            #expect(exit.errors.contains("WARREN_AMQP_URL"), "\(exit.errors)")
        }

        @Loop private func total(_ client: APIClient, _ word: String) async throws -> Int64? {
            try await client.search(word).expect(200)["totalPosts"]?.integer
        }

        /// Empties the index.
        @Loop private func truncate() async throws {
            try await ServiceDatabase.withPool(of: "search") { pool in
                _ = try await pool.query(Statement("TRUNCATE documents, vocabulary"))
            }
        }
    }
}
