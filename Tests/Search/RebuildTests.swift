import Contracts
import DatabaseSupport
import FoundationEssentials
import Reactor
import Testing

@testable import SearchService

@Suite("Index rebuild") struct RebuildTests {
    /// A list of posts in pages, as the post service returns it. A test can change the list between two pages.
    @Loop private final class PostList {
        var posts: [Post]
        var pageSize = 10
        /// Called before each page with its number, from 0.
        var beforePage: (@Loop (Int) async throws -> Void)?
        private var pageCount = 0

        init(_ posts: [Post]) {
            self.posts = posts
        }

        func page(after cursor: String?) async throws -> Page<Post> {
            try await beforePage?(pageCount)
            pageCount += 1
            let ordered = posts.sorted { sortKey($0) > sortKey($1) }
            let rest = cursor.map { cursor in ordered.drop { sortKey($0) >= cursor } } ?? ordered[...]
            let items = Array(rest.prefix(pageSize))
            return Page(
                items: items, limit: pageSize, number: cursor == nil ? .init(page: 1, total: posts.count) : nil,
                nextCursor: rest.count > pageSize ? items.last.map(sortKey) : nil)
        }

        private func sortKey(_ post: Post) -> String { "\(post.createdAt.text) \(post.id.text)" }
    }

    /// Rebuilds the index from a list.
    @Loop private func rebuild(_ fixture: SearchFixture, _ list: PostList) async throws -> RebuildProgress {
        try await IndexRebuild(
            index: fixture.index, cache: fixture.cache, list: list.page, onProgress: { _ in }
        ).run()
    }

    /// Returns posts, newest first, that were created a day ago and earlier, two in each second.
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

    @Test("a rebuild removes posts that the list does not have, newer than, between and older than the listed ones")
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

    @Test("a post that a rebuild removed stays removed if its creation event is delivered again")
    @Loop func sweptStaysGone() async throws {
        try await SearchFixture.with { fixture in
            let post = posts(1)[0]
            try await fixture.deliver(PostCreated(post: post, mediaIds: []))
            _ = try await rebuild(fixture, PostList([]))
            try await fixture.deliver(PostCreated(post: post, mediaIds: []))
            #expect(try await fixture.found("clover").isEmpty)
        }
    }

    @Test("a post created during a rebuild or just before it is not removed, although the list does not have it")
    @Loop func newcomers() async throws {
        try await SearchFixture.with { fixture in
            let list = PostList(posts(25))
            list.beforePage = { number in
                // The post is in the index but never in the list.
                if number < 3 { try await fixture.post("clover newcomer \(number)") }
            }
            try await fixture.post("clover from just before")
            let progress = try await rebuild(fixture, list)
            #expect(progress.removed == 0)
            #expect(try await fixture.search("clover").number?.total == 29)
        }
    }

    @Test("a post deleted during a rebuild stays deleted, whether its page is read before or after the deletion")
    @Loop func deletions() async throws {
        try await SearchFixture.with { fixture in
            let posts = posts(25)
            let list = PostList(posts)
            list.beforePage = { number in
                guard number == 1 else { return }
                // One post of the page before, one of the current page and one of a later page. The list still has
                // all three.
                for index in [3, 12, 22] { try await fixture.delete(posts[index]) }
            }
            let progress = try await rebuild(fixture, list)
            #expect(progress.added == 23)
            #expect(try await fixture.search("clover").number?.total == 22)
        }
    }

    @Test("a list that is out of order makes the rebuild fail, and no post is removed")
    @Loop func disorder() async throws {
        try await SearchFixture.with { fixture in
            let posts = posts(30)
            try await fixture.index.add(posts)
            let rebuild = IndexRebuild(
                index: fixture.index, cache: fixture.cache,
                list: { _ in Page(items: Array(posts.prefix(10)), limit: 10, number: nil, nextCursor: "again") },
                onProgress: { _ in })
            let error = await #expect(throws: RebuildError.self) { _ = try await rebuild.run() }
            #expect(error?.code == .listOutOfOrder)
            #expect(error?.isTransient == false)
            #expect(try await fixture.search("clover").number?.total == 30)
        }
    }
}
