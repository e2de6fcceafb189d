import Contracts
import Reactor
import Testing

extension Journeys {
    @Suite("Pagination") struct Lists {
        @Test(
            "a list request with an invalid or unknown parameter, or both page and cursor, gets 422 with a pointer",
            arguments: ["/v1/posts", "/v1/media"],
            [
                "cursor=x", "cursor=AAAA", "cursor=", "cursor=%00", "cursor=..%2F..%2Fetc%2Fpasswd",
                "cursor=%27%20OR%201%3D1%20--", "cursor=gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "cursor=f_________8AAAAAAAAAAAAAAAAAAAAA", "limit=0", "limit=-1", "limit=101", "limit=1e9",
                "limit=1000000000", "limit=99999999999999999999999999", "limit=ten", "limit=", "limit=%F0%9F%90%87",
                "page=0", "page=-1", "page=1000001", "page=9223372036854775807", "page=1.5", "offset=1",
                "page=1&cursor=AAAA",
            ])
        @Loop func forged(_ path: String, _ query: String) async throws {
            let client = try await Self.client()
            let problem = try await client.get("\(path)?\(query)").expectProblem(422, "invalid")
            let names = ["/cursor", "/limit", "/page", "/offset"]
            let pointers = problem["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? []
            #expect(!pointers.isEmpty && pointers.allSatisfy(names.contains))
        }

        @Test("following the cursors shows each of the caller's media once, and only the first page has totals")
        @Loop func walks() async throws {
            let client = try await Self.client()
            var uploaded: Set<String> = []
            for _ in 0..<5 { uploaded.insert(try await client.upload(RandomPNG.make()).expect(201).text("id")) }
            var page = try await client.get("/v1/media?limit=2").expect(200)
            #expect(page["totalMedia"]?.integer == 5 && page["totalPages"]?.integer == 3)
            var seen = page.ids("media")
            while let cursor = page["nextCursor"]?.string, seen.count < 10 {
                page = try await client.get("/v1/media?limit=2&cursor=\(cursor)").expect(200)
                #expect(page["totalMedia"] == nil && page["page"] == nil)
                seen += page.ids("media")
            }
            #expect(seen.count == 5 && Set(seen) == uploaded)
            #expect(page["nextCursor"] == .null)
        }

        @Test("the first page of the post list begins with the newest post and has totals")
        @Loop func newestPostFirst() async throws {
            let client = try await Self.client()
            let post = try await client.createPost("newest-\(randomWord(10))").expect(201).text("id")
            let posts = try await client.get("/v1/posts?limit=1").expect(200)
            #expect(posts.ids("posts") == [post])
            #expect(posts["totalPosts"]?.integer ?? 0 > 0)
        }

        @Loop private static var shared: APIClient?

        /// Returns a client that all tests of this suite share, because a registration is slow.
        @Loop private static func client() async throws -> APIClient {
            if let shared { return shared }
            let client = try await APIClient.registered()
            shared = client
            return client
        }
    }
}
