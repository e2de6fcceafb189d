import Contracts
import FaultProxy
import Foundation
import Glibc
import LocalStack
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Kill points", .timeLimit(.minutes(3))) struct KillPoints {
        @Test(
            "a worker is killed at this point: another one has its commands within 5 s, and each is carried out once",
            arguments: KillPoint.allCases)
        @Loop func kills(point: KillPoint) async throws {
            let stack = try Stack()
            let letters = try await deadLetters(stack)
            let victim = try await TappedPostWorker.start(stack, point)
            let result = await outcome {
                // The other worker is stopped, so that the victim receives the commands.
                try await stack.scale("post", 0)
                let posts = try await PostBurst()
                try await posts.send {
                    try #require(try await eventually(within: .seconds(20)) { victim.tap.isReached })
                    try await expect(point, posts)
                    try await stack.scale("post", 1)
                    try await victim.kill()
                    try await expectTakeover(stack, point, posts)
                }
                try await posts.expectPromisesKept()
            }
            await victim.end()
            // A worker that already runs is not started again.
            try await stack.scale("post", 1)
            try result.get()
            #expect(victim.reachedCount == 1)
            #expect(try await deadLetters(stack) == letters)
        }

        /// Checks that the victim has come exactly to the kill point. It still lives, but its connections are held.
        @Loop private func expect(_ point: KillPoint, _ posts: PostBurst) async throws {
            switch point {
            case .delivered:
                #expect(try await posts.rows().isEmpty)
            case .transactionOpen:
                #expect(try await eventually(within: .seconds(2)) { try await hasOpenTransaction() })
                #expect(try await posts.rows().isEmpty)
            case .committed:
                #expect(try await !posts.rows().isEmpty)
                #expect(posts.statuses.values.allSatisfy { $0 != 201 }, "\(posts.statuses)")
            case .eventPublished:
                let isIndexed = try await eventually(within: .seconds(5)) { try await !posts.documents().isEmpty }
                #expect(isIndexed, "the broker has the event, so the search worker indexes the post")
            case .replied:
                #expect(try await eventually(within: .seconds(2)) { posts.statuses.values.contains(201) })
            }
        }

        /// Checks that the other worker carries out the commands within 5 s.
        @Loop private func expectTakeover(_ stack: Stack, _ point: KillPoint, _ posts: PostBurst) async throws {
            let isCarriedOut = try await eventually(within: .seconds(5)) {
                try await Set(posts.rows().keys) == posts.contents
            }
            #expect(isCarriedOut)
            // At this point, the broker already has the acknowledgements of some commands.
            guard point != .eventPublished else { return }
            let isHandled = try await eventually(within: .seconds(5)) {
                try posts.requestIDs.allSatisfy { try !stack.handledLines(of: "post-1", $0).isEmpty }
            }
            #expect(isHandled, "no command was acknowledged, so the other worker has handled all of them")
        }

        /// Whether the post service has a transaction that has written and waits for its client.
        @Loop private func hasOpenTransaction() async throws -> Bool {
            try await ServiceDatabase.count(
                "post",
                """
                SELECT count(*)::bigint FROM pg_stat_activity
                WHERE usename = 'post' AND backend_xid IS NOT NULL AND wait_event = 'ClientRead'
                    AND state IN ('active', 'idle in transaction')
                """) > 0
        }

        @Loop private func deadLetters(_ stack: Stack) async throws -> [Int] {
            var depths: [Int] = []
            for queue in ["post.commands", "post.events", "search.events"] {
                depths.append(try await stack.depth(of: "\(queue).dead"))
            }
            return depths
        }
    }
}
