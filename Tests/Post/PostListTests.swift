import Contracts
import DatabaseSupport
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

@Suite("List of posts", .timeLimit(.minutes(2)))
struct PostListTests {
    @Test("a page lists the newest posts first, ten by default, and has the totals and the next cursor")
    @Loop func pages() async throws {
        try await PostFixture.with { fixture async throws in
            var written: [String] = []
            for number in 0..<25 { written.append(try await fixture.write("post \(number)").id.text) }
            let newest = Array(written.reversed())
            let first = try await fixture.list()
            #expect(fixture.ids(first) == Array(newest[..<10]))
            #expect(first["page"]?.integer == 1)
            #expect(first["limit"]?.integer == 10)
            #expect(first["totalPosts"]?.integer == 25)
            #expect(first["totalPages"]?.integer == 3)
            #expect(first["nextCursor"]?.string != nil)
            let last = try await fixture.list(["page": 3, "limit": 10])
            #expect(fixture.ids(last) == Array(newest[20...]))
            #expect(last["nextCursor"] == .null)
            let past = try await fixture.list(["page": 1_000_000, "limit": 100])
            #expect(fixture.ids(past).isEmpty)
            #expect(past["totalPosts"]?.integer == 25)
            #expect(past["nextCursor"] == .null)
        }
    }

    @Test("following the cursors lists each post once, while other posts are created and deleted")
    @Loop func cursors() async throws {
        try await PostFixture.with { fixture async throws in
            var posts: [Post] = []
            for number in 0..<23 { posts.append(try await fixture.write("post \(number)")) }
            var seen: [String] = []
            var cursor: String?
            var rounds = 0
            repeat {
                rounds += 1
                let page = try await fixture.list(cursor.map { ["cursor": .string($0), "limit": 5] } ?? ["limit": 5])
                if cursor != nil {
                    for name in ["page", "totalPosts", "totalPages"] { #expect(page[name] == nil, "\(name)") }
                    #expect(page["limit"]?.integer == 5)
                }
                seen += fixture.ids(page)
                cursor = page["nextCursor"]?.string
                // Two new posts and the deletion of a listed post shift the rest of the list by one place. The next
                // page must not depend on the number of posts before it.
                for _ in 0..<2 { _ = try await fixture.write("newer") }
                _ = try await fixture.delete(posts.removeLast())
            } while cursor != nil && rounds < 20
            #expect(Set(seen).count == seen.count)
            #expect(seen.count == 23)
        }
    }

    @Test(
        "a list request with an invalid cursor, or with both page and cursor, gets 422 with the pointer /cursor",
        arguments: [
            ["cursor": ""], ["cursor": "x"], ["cursor": "AAAA"], ["cursor": "%00"], ["cursor": "../../etc/passwd"],
            ["cursor": "'; DROP TABLE posts; --"], ["cursor": .string(String(repeating: "A", count: 33))],
            ["cursor": .string(String(repeating: "A", count: 10_000))],
            // A time before the year 1, a time after the year 9999, and a padding character.
            ["cursor": "gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"], ["cursor": "f_________8AAAAAAAAAAAAAAAAAAAAA"],
            ["cursor": "AAABlAAAAAAAAAAAAAAAAAAAAAAAAAAA="],
            ["cursor": .string(KeysetCursor(time: .now(), id: .v7()).text), "page": 1],
            ["cursor": 5], ["cursor": ["x"]],
        ] as [JSON])
    @Loop func forged(_ query: JSON) async throws {
        try await PostFixture.with { fixture async throws in
            let reply = try await fixture.ask("post.list", query)
            #expect(reply.status == 422, "\(reply.text)")
            #expect(reply.code == "invalid")
            #expect(Set(reply.pointers) == ["/cursor"])
            #expect(reply.json["detail"] == "The query is not valid: it has one fault.")
        }
    }

    @Test("a cursor with any valid time lists the posts before that time")
    @Loop func farCursors() async throws {
        try await PostFixture.with { fixture async throws in
            let post = try await fixture.write()
            for milliseconds: Int64 in [-62_135_596_800_000, 0, 253_402_300_799_999] {
                let cursor = KeysetCursor(time: Timestamp(milliseconds: milliseconds), id: .v7()).text
                let page = try await fixture.list(["cursor": .string(cursor)])
                #expect(fixture.ids(page) == (milliseconds > 0 ? [post.id.text] : []))
            }
        }
    }

    @Test(
        "a list request with a limit outside 1 to 100, an invalid number or an unknown field is refused with 422",
        arguments: [
            (["limit": 0], "/limit"), (["limit": -1], "/limit"), (["limit": 101], "/limit"),
            (["limit": 1_000_000_000], "/limit"), (["limit": 9_223_372_036_854_775_807], "/limit"),
            (["limit": 1e300], "/limit"), (["limit": 1.5], "/limit"), (["limit": "10"], "/limit"),
            (["limit": .null], "/limit"), (["page": 0], "/page"), (["page": -1], "/page"),
            (["page": 9_223_372_036_854_775_807], "/page"), (["page": "first"], "/page"), (["offset": 1], "/offset"),
        ] as [(JSON, String)])
    @Loop func limits(_ query: JSON, _ pointer: String) async throws {
        try await PostFixture.with { fixture async throws in
            let reply = try await fixture.ask("post.list", query)
            #expect(reply.status == 422, "\(reply.text)")
            #expect(reply.pointers == [pointer])
        }
    }

    @Test("the total of the post list is right after each creation and deletion, without counting rows")
    @Loop func totals() async throws {
        try await PostFixture.with { fixture async throws in
            func total() async throws -> Int64? { try await fixture.list()["totalPosts"]?.integer }
            #expect(try await total() == 0)
            let posts = try await concurrently(20) { number in try await fixture.write("post \(number)") }
            #expect(try await total() == 20)
            for post in posts.prefix(7) {
                #expect(try await fixture.delete(post).status == 204)
                #expect(try await fixture.delete(post).status == 404)
            }
            #expect(try await total() == 13)
            // The service does not count rows, so the total does not include a row that the service did not insert.
            _ = try await fixture.database.query(
                Statement("INSERT INTO posts VALUES (gen_random_uuid(), gen_random_uuid(), 'x', 'x', '{}', now())"))
            _ = try await fixture.write("one more")
            #expect(try await total() == 14)
            #expect(try await fixture.database.count("SELECT count(*) FROM posts") == 15)
        }
    }
}
