import Contracts
import Postgres
import Reactor
import TestSupport
import Testing
import WorkerKit

@testable import SearchService

@Suite("Search cache") struct SearchCacheTests {
    @Test("a repeated search is served from the cache without the database")
    @Loop func hit() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("clover")
            let first = try await fixture.ask("clover")
            _ = try await fixture.database.query(Statement("DELETE FROM documents"))
            #expect(try await fixture.ask("clover") == first)
            #expect(
                try await fixture.search("clover", page: 2).number?.total == 0, "another page has another entry")
            #expect(try await fixture.search("clover", limit: 9).number?.total == 0)
        }
    }

    @Test("if similar words are not found in time, the exact hits are returned, even if there are none, and not cached")
    @Loop func slowSimilarWords() async throws {
        try await SearchFixture.with(connections: 3) { fixture in
            try await fixture.post("burrow")
            try await fixture.post("burr")
            let lock = try await fixture.database.begin(deadline: .now + .seconds(30))
            defer { lock.close() }
            _ = try await lock.query(Statement("LOCK TABLE vocabulary"))
            let page = try await fixture.search("burr")
            #expect(page.items.map(\.content) == ["burr"])
            #expect(page.number == .init(page: 1, total: 1, isExact: false))
            let empty = try await fixture.search("burro")
            #expect(empty.items.isEmpty && empty.number == .init(page: 1, total: 0, isExact: false))
            await lock.rollback()
            #expect(try await fixture.found("burr") == ["burr", "burrow"])
            #expect(try await fixture.search("burr").number == .init(page: 1, total: 2))
            #expect(try await fixture.found("burro").contains("burrow"))
        }
    }

    @Test("200 identical concurrent searches after a new post query the index once")
    @Loop func singleFlight() async throws {
        try await SearchFixture.with(connections: 8) { fixture in
            try await fixture.post("clover")
            // Every query of the index waits for this lock, so the concurrent queries can be counted.
            let lock = try await fixture.database.begin()
            defer { lock.close() }
            _ = try await lock.query(Statement("LOCK TABLE documents"))
            func waitingQueryCount() async throws -> Int {
                let count = Statement(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'documents'::regclass")
                return try await lock.query(count)[0].get(0, as: Int.self)
            }
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<200 { group.addTask { try await fixture.ask("clover") } }
                #expect(try await eventually { try await waitingQueryCount() > 0 })
                try await Loop.sleep(for: .milliseconds(200))
                #expect(try await waitingQueryCount() == 1)
                await lock.rollback()
                var replies: [Reply] = []
                for try await reply in group { replies.append(reply) }
                return replies
            }
            #expect(replies.count == 200)
            #expect(Set(replies).count == 1 && replies[0].status == 200)
        }
    }

    @Test("a created or deleted post invalidates all cached searches, including searches without hits")
    @Loop func invalidation() async throws {
        try await SearchFixture.with { fixture in
            #expect(try await fixture.found("clover").isEmpty)
            let post = try await fixture.post("clover")
            #expect(try await fixture.found("clover") == ["clover"])
            #expect(try await fixture.found("clovr") == ["clover"])
            try await fixture.delete(post)
            #expect(try await fixture.found("clover").isEmpty)
            #expect(try await fixture.found("clovr").isEmpty)
        }
    }

    @Test("while 50 posts a second come and go, identical searches show each within a second, with few scans")
    @Loop func changingIndex() async throws {
        try await SearchFixture.with(connections: 4, pause: SearchService.cachePause) { fixture in
            let log = ChangeLog()
            let began = ContinuousClock.now
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { try await Self.change(fixture, log, until: began + .seconds(3)) }
                for _ in 0..<20 { group.addTask { try await Self.ask(fixture, log) } }
            }
            let most = Int((.now - began) / SearchService.cachePause) + 4
            #expect(log.replyCount > 200)
            // Each scan of the changing index counts another number of posts, except by chance.
            #expect((3...most).contains(log.totals.count), "\(log.totals.count) different totals, at most \(most)")
            let last = log.created.count - log.deleted.count
            #expect(
                try await eventually(within: .seconds(1)) { try await fixture.search("clover").number?.total == last })
        }
    }

    /// The changes of a test's index, with the times at which their events were handled, and the replies to searches.
    @Loop private final class ChangeLog {
        var created: [ContinuousClock.Instant] = []
        var deleted: [ContinuousClock.Instant] = []
        var replyCount = 0
        var isComplete = false
        var totals: Set<Int> = []
    }

    /// Creates posts, and deletes every fourth one after the post that follows it. Goes on after the end if the machine
    /// is too busy for enough changes.
    @Loop private static func change(
        _ fixture: SearchFixture, _ log: ChangeLog, until end: ContinuousClock.Instant
    ) async throws {
        var last: Post?
        while .now < end || log.created.count <= 20 || log.deleted.count <= 3 {
            let post = try await fixture.post("clover")
            log.created.append(.now)
            if let last, log.created.count % 4 == 2 {
                try await fixture.delete(last)
                log.deleted.append(.now)
            }
            last = post
            try await Loop.sleep(for: .milliseconds(20))
        }
        log.isComplete = true
    }

    /// Searches all the time, and checks that each total includes the changes that are a second old.
    @Loop private static func ask(_ fixture: SearchFixture, _ log: ChangeLog) async throws {
        while !log.isComplete {
            let due = ContinuousClock.now - .seconds(1)
            let total = try await fixture.search("clover").number?.total ?? -1
            log.replyCount += 1
            log.totals.insert(total)
            // One more creation and deletion can be in progress.
            let least = log.created.count { $0 < due } - log.deleted.count - 1
            let most = log.created.count + 1 - log.deleted.count { $0 < due }
            #expect((least...max(least, most)).contains(total))
            try await Loop.sleep(for: .milliseconds(2))
        }
    }

    @Test("a new post is found, and a deleted post is not found, within a second")
    @Loop func visibility() async throws {
        try await SearchFixture.with(pause: SearchService.cachePause) { fixture in
            for round in 0..<3 {
                #expect(try await fixture.search("clover").number?.total == 0)
                let post = try await fixture.post("clover")
                #expect(
                    try await eventually(within: .seconds(1)) { try await fixture.search("clover").number?.total == 1 },
                    "round \(round)")
                try await fixture.delete(post)
                #expect(
                    try await eventually(within: .seconds(1)) { try await fixture.search("clover").number?.total == 0 },
                    "round \(round)")
            }
        }
    }
}
