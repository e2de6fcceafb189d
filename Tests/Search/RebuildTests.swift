import Contracts
import DatabaseSupport
import FoundationEssentials
import Reactor
import Testing

@testable import SearchService

@Suite("A rebuild") struct RebuildTests {
    /// A list of posts that is asked for page by page, as the post service's is, and may change between two pages.
    @Loop private final class List {
        var posts: [Post]
        var pageSize = 10
        /// Runs before a page is read, with its number from 0.
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

    @Loop private func rebuild(_ fixture: SearchFixture, _ list: List) async throws -> RebuildProgress {
        try await IndexRebuild(
            index: fixture.index, cache: fixture.cache, list: list.page, report: { _ in }
        ).run()
    }

    /// Posts of yesterday, two of them in each second.
    private func posts(_ count: Int) -> [Post] {
        let time = Timestamp.now().advanced(by: .seconds(-86400))
        return (0..<count).map { SearchFixture.post("clover \($0)", at: time.advanced(by: .seconds(-$0 / 2))) }
    }

    @Test("an empty index has every post again, however many pages they are", arguments: [0, 1, 10, 11, 45])
    @Loop func fills(count: Int) async throws {
        try await SearchFixture.with { fixture in
            #expect(try await fixture.found("clover").isEmpty)
            let list = List(posts(count))
            let progress = try await rebuild(fixture, list)
            #expect((progress.read, progress.total, progress.added, progress.removed) == (count, count, count, 0))
            #expect(try await fixture.search("clover").number?.total == count, "the cache was told")
            #expect(try await fixture.search("clovr").number?.total == count, "the vocabulary too")
            let again = try await rebuild(fixture, list)
            #expect((again.read, again.added, again.removed) == (count, 0, 0))
        }
    }

    @Test("posts that are no more are removed: between others, before the first, after the last, all")
    @Loop func sweeps() async throws {
        try await SearchFixture.with { fixture in
            let posts = posts(45)
            try await fixture.index.add(posts)
            let kept = posts.enumerated().filter { $0.offset % 3 == 1 && $0.offset < 40 }.map(\.element)
            let progress = try await rebuild(fixture, List(kept))
            #expect((progress.added, progress.removed) == (0, 45 - kept.count))
            #expect(try await Set(fixture.search("clover", limit: 100).items.map(\.id)) == Set(kept.map(\.id)))
            let nothing = try await rebuild(fixture, List([]))
            #expect(nothing.removed == kept.count)
            #expect(try await fixture.found("clover").isEmpty)
        }
    }

    @Test("what was removed stays so, when its event comes late")
    @Loop func sweptStaysGone() async throws {
        try await SearchFixture.with { fixture in
            let post = posts(1)[0]
            try await fixture.deliver(PostCreated(post: post, mediaIds: []))
            _ = try await rebuild(fixture, List([]))
            try await fixture.deliver(PostCreated(post: post, mediaIds: []))
            #expect(try await fixture.found("clover").isEmpty)
        }
    }

    @Test("a post that comes meanwhile is not removed, whether or not the list has it yet")
    @Loop func newcomers() async throws {
        try await SearchFixture.with { fixture in
            let list = List(posts(25))
            list.before = { number in
                // In the index already, and in the list never.
                if number < 3 { try await fixture.post("clover newcomer \(number)") }
            }
            try await fixture.post("clover from just before")
            let progress = try await rebuild(fixture, list)
            #expect(progress.removed == 0)
            #expect(try await fixture.search("clover").number?.total == 29)
        }
    }

    @Test("a post that is deleted meanwhile stays gone, whichever comes first")
    @Loop func deletions() async throws {
        try await SearchFixture.with { fixture in
            let posts = posts(25)
            let list = List(posts)
            list.before = { number in
                guard number == 1 else { return }
                // One that was read already, one whose page is being read, one that comes later; the list still has them.
                for index in [3, 12, 22] { try await fixture.delete(posts[index]) }
            }
            let progress = try await rebuild(fixture, list)
            #expect(progress.added == 23)
            #expect(try await fixture.search("clover").number?.total == 22)
        }
    }

    @Test("a list that does not get on ends the rebuild and removes nothing more")
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
