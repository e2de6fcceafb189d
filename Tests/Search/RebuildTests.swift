import Contracts
import DatabaseSupport
import FoundationEssentials
import Reactor
import Testing

@testable import SearchService

@Suite("Index rebuild") struct RebuildTests {
    /// A list of posts with pages, as the post service returns them. A test can change it between two pages.
    @Loop private final class PostList {
        var posts: [Post]
        var pageSize = 10
        /// Called before each page with its number, from 0.
        var before: (@Loop (Int) async throws -> Void)?
        private var asked = 0

        init(_ posts: [Post]) {
            self.posts = posts
        }

        func page(after cursor: String?) async throws -> Page<Post> {
            try await before?(asked)
            asked += 1
            let ordered = posts.sorted { place($0) > place($1) }
            let rest = cursor.map { cursor in ordered.drop { place($0) >= cursor } } ?? ordered[...]
            let items = Array(rest.prefix(pageSize))
            return Page(
                items: items, limit: pageSize, number: cursor == nil ? .init(page: 1, total: posts.count) : nil,
                nextCursor: rest.count > pageSize ? items.last.map(place) : nil)
        }

        private func place(_ post: Post) -> String { "\(post.createdAt.text) \(post.id.text)" }
    }

    @Loop private func rebuild(_ fixture: SearchFixture, _ list: PostList) async throws -> RebuildProgress {
        try await IndexRebuild(
            index: fixture.index, cache: fixture.cache, list: list.page, report: { _ in }
        ).run()
    }

    /// Returns posts of yesterday, two per second.
    private func posts(_ count: Int) -> [Post] {
        let time = Timestamp.now().advanced(by: .seconds(-86400))
        return (0..<count).map { SearchFixture.post("clover \($0)", at: time.advanced(by: .seconds(-$0 / 2))) }
    }

    @Test("a rebuild fills an empty index from any number of pages", arguments: [0, 1, 10, 11, 45])
    @Loop func fills(count: Int) async throws {
        try await SearchFixture.with { fixture in
            #expect(try await fixture.found("clover").isEmpty)
            let list = PostList(posts(count))
            let progress = try await rebuild(fixture, list)
            #expect((progress.read, progress.total, progress.added, progress.removed) == (count, count, count, 0))
            #expect(try await fixture.search("clover").number?.total == count, "the cache was invalidated")
            #expect(try await fixture.search("clovr").number?.total == count, "the vocabulary was filled")
            let again = try await rebuild(fixture, list)
            #expect((again.read, again.added, again.removed) == (count, 0, 0))
        }
    }

    @Test("a rebuild removes posts that no longer exist, anywhere in the list")
    @Loop func sweeps() async throws {
        try await SearchFixture.with { fixture in
            let posts = posts(45)
            try await fixture.index.add(posts)
            let kept = posts.enumerated().filter { $0.offset % 3 == 1 && $0.offset < 40 }.map(\.element)
            let progress = try await rebuild(fixture, PostList(kept))
            #expect((progress.added, progress.removed) == (0, 45 - kept.count))
            #expect(try await Set(fixture.search("clover", limit: 100).items.map(\.id)) == Set(kept.map(\.id)))
            let emptied = try await rebuild(fixture, PostList([]))
            #expect(emptied.removed == kept.count)
            #expect(try await fixture.found("clover").isEmpty)
        }
    }

    @Test("a removed post stays removed when its creation event comes late")
    @Loop func sweptStaysGone() async throws {
        try await SearchFixture.with { fixture in
            let post = posts(1)[0]
            try await fixture.deliver(PostCreated(post: post, mediaIds: []))
            _ = try await rebuild(fixture, PostList([]))
            try await fixture.deliver(PostCreated(post: post, mediaIds: []))
            #expect(try await fixture.found("clover").isEmpty)
        }
    }

    @Test("a post created during a rebuild is not removed, whether or not it is listed")
    @Loop func newcomers() async throws {
        try await SearchFixture.with { fixture in
            let list = PostList(posts(25))
            list.before = { number in
                // The post is in the index but never in the list.
                if number < 3 { try await fixture.post("clover newcomer \(number)") }
            }
            try await fixture.post("clover from just before")
            let progress = try await rebuild(fixture, list)
            #expect(progress.removed == 0)
            #expect(try await fixture.search("clover").number?.total == 29)
        }
    }

    @Test("a post deleted during a rebuild stays deleted, before and after its page is read")
    @Loop func deletions() async throws {
        try await SearchFixture.with { fixture in
            let posts = posts(25)
            let list = PostList(posts)
            list.before = { number in
                guard number == 1 else { return }
                // One that was read before, one on the current page, one on a later page. The list still has them.
                for index in [3, 12, 22] { try await fixture.delete(posts[index]) }
            }
            let progress = try await rebuild(fixture, list)
            #expect(progress.added == 23)
            #expect(try await fixture.search("clover").number?.total == 22)
        }
    }

    @Test("a list that is out of order ends the rebuild without further removals")
    @Loop func disorder() async throws {
        try await SearchFixture.with { fixture in
            let posts = posts(30)
            try await fixture.index.add(posts)
            let rebuild = IndexRebuild(
                index: fixture.index, cache: fixture.cache,
                list: { _ in Page(items: Array(posts.prefix(10)), limit: 10, number: nil, nextCursor: "again") },
                report: { _ in })
            let error = await #expect(throws: RebuildError.self) { _ = try await rebuild.run() }
            #expect(error?.code == .listOutOfOrder)
            #expect(error?.isTransient == false)
            #expect(try await fixture.search("clover").number?.total == 30)
        }
    }
}
