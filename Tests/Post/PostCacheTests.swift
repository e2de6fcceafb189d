import Contracts
import DatabaseSupport
import FaultProxy
import FoundationEssentials
import Postgres
import Reactor
import Redis
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Post cache", .timeLimit(.minutes(3)))
struct PostCacheTests {
    @Test("a new post is first in the list of every worker as soon as its creation has a reply")
    @Loop func newPost() async throws {
        try await PostFixture.with(workers: 2) { fixture async throws in
            let readers = PageReaders(fixture)
            try await readers.read {
                for number in 0..<40 {
                    let post = try await fixture.write("post \(number)", at: number % 2)
                    for worker in 0..<2 {
                        #expect(fixture.ids(try await fixture.list(at: worker)).first == post.id.text)
                    }
                }
            }
            #expect(readers.count > 0)
        }
    }

    @Test("a deleted post is never served again, even if many reads are concurrent with the deletion")
    @Loop func deletedPost() async throws {
        try await PostFixture.with(workers: 2) { fixture async throws in
            for number in 0..<25 {
                let post = try await fixture.write("post \(number)", at: number % 2)
                if number % 3 > 0 { _ = try await fixture.get(post.id, at: number % 2) }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for reader in 0..<12 {
                        group.addTask {
                            for _ in 0..<3 {
                                _ = try await fixture.get(post.id, at: reader % 2)
                                _ = try await fixture.list(["limit": 3], at: reader % 2)
                            }
                        }
                    }
                    #expect(try await fixture.delete(post, at: number % 2).status == 204)
                    for worker in 0..<2 {
                        #expect(try await fixture.get(post.id, at: worker).status == 404)
                        #expect(try await !fixture.ids(fixture.list(["limit": 3], at: worker)).contains(post.id.text))
                    }
                    try await group.waitForAll()
                }
                for worker in 0..<2 {
                    #expect(try await fixture.get(post.id, at: worker).status == 404)
                    #expect(try await !fixture.ids(fixture.list(["limit": 3], at: worker)).contains(post.id.text))
                }
            }
        }
    }

    @Test("posts are served without Redis, and a post deleted meanwhile is not served after Redis is back")
    @Loop func noRedis() async throws {
        try await PostFixture.with { fixture async throws in
            let post = try await fixture.write("there")
            _ = try await (fixture.get(post.id), fixture.list())
            fixture.redisProxy.refuse()
            #expect(try await eventually { !fixture.workers[0].redis.isConnected })
            #expect(try await fixture.get(post.id).status == 200)
            let another = try await fixture.write("written without a cache")
            #expect(try await fixture.ids(fixture.list()) == [another.id.text, post.id.text])
            #expect(try await fixture.delete(post).status == 204)
            #expect(try await fixture.get(post.id).status == 404)
            fixture.redisProxy.resume()
            var statuses: Set<Int> = []
            let isBack = try await eventually(within: .seconds(30)) {
                statuses.insert(try await fixture.get(post.id).status)
                #expect(try await fixture.ids(fixture.list()) == [another.id.text])
                return fixture.workers[0].redis.isConnected
            }
            #expect(isBack)
            #expect(statuses == [404])
            #expect(try await fixture.get(post.id).status == 404)
        }
    }

    @Test("pages with different limits, page numbers or cursors are cached separately")
    @Loop func keys() async throws {
        try await PostFixture.with { fixture async throws in
            var newest: [String] = []
            for number in 0..<6 { newest.insert(try await fixture.write("post \(number)").id.text, at: 0) }
            for _ in 0..<2 {
                for limit in 1...3 {
                    let first = try await fixture.list(["limit": .integer(Int64(limit))])
                    #expect(fixture.ids(first) == Array(newest[..<limit]))
                    let second = try await fixture.list(["limit": .integer(Int64(limit)), "page": 2])
                    #expect(fixture.ids(second) == Array(newest[limit..<2 * limit]))
                }
                let cursor = try #require(try await fixture.list(["limit": 1])["nextCursor"]?.string)
                for limit in 1...3 {
                    let page = try await fixture.list(["limit": .integer(Int64(limit)), "cursor": .string(cursor)])
                    #expect(fixture.ids(page) == Array(newest[1...limit]))
                }
            }
        }
    }
}

/// Readers that request the first page repeatedly, at two workers.
@Loop private final class PageReaders {
    private let fixture: PostFixture
    /// The number of pages that were read.
    private(set) var count = 0
    private var isDone = false

    init(_ fixture: PostFixture) {
        self.fixture = fixture
    }

    /// Reads while `body` runs.
    func read(_ body: @Loop () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<6 {
                group.addTask {
                    while await !self.isDone {
                        _ = try await self.fixture.list(at: number % 2)
                        await self.incrementCount()
                    }
                }
            }
            defer { isDone = true }
            try await body()
            isDone = true
            try await group.waitForAll()
        }
    }

    private func incrementCount() { count += 1 }
}
