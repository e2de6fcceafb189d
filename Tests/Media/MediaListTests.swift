import Contracts
import DatabaseSupport
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

@Suite("List of media", .timeLimit(.minutes(2)))
struct MediaListTests {
    /// Inserts media of an owner and returns their ids, newest first.
    @Loop private func insertMedia(_ count: Int, by owner: Caller, _ fixture: MediaFixture) async throws -> [String] {
        var ids: [String] = []
        for number in 0..<count {
            let id = UUID.v7()
            // Two rows share each time, so that their ids decide the order.
            _ = try await fixture.database.query(
                Statement(
                    """
                    INSERT INTO media VALUES ($1, $2, 'https://example.org/x', 'image/png', 1, 1, 1,
                        timestamptz '2026-01-01' + make_interval(secs => $3))
                    """), id, owner.id, Double(number / 2))
            ids.append(id.text)
        }
        return ids.reversed()
    }

    @Test("the pages of the list have only the caller's media, newest first, by number and by cursor")
    @Loop func pages() async throws {
        try await MediaFixture.with { fixture async throws in
            let (owner, other) = (MediaFixture.owner(), MediaFixture.owner("other"))
            let newest = try await insertMedia(25, by: owner, fixture)
            _ = try await insertMedia(5, by: other, fixture)
            let first = try await fixture.ask("media.list", [:], by: owner).json
            #expect(ids(first) == Array(newest[..<10]))
            for (name, value) in [("page", 1), ("limit", 10), ("totalMedia", 25), ("totalPages", 3)] {
                #expect(first[name]?.integer == Int64(value), "\(name)")
            }
            let last = try await fixture.ask("media.list", ["page": 3], by: owner).json
            #expect(ids(last) == Array(newest[20...]))
            #expect(last["nextCursor"] == .null)
            var seen: [String] = []
            var cursor: String?
            repeat {
                let query: JSON = cursor.map { ["cursor": .string($0), "limit": 4] } ?? ["limit": 4]
                let page = try await fixture.ask("media.list", query, by: owner).json
                if cursor != nil { #expect(page["totalMedia"] == nil && page["page"] == nil) }
                seen += ids(page)
                cursor = page["nextCursor"]?.string
            } while cursor != nil && seen.count < 50
            #expect(seen == newest)
            // A cursor is only a position, so a cursor that another list returned lists the caller's own media.
            let foreign = KeysetCursor(time: .now(), id: .v7()).text
            let own = try await fixture.ask("media.list", ["cursor": .string(foreign), "limit": 100], by: other).json
            #expect(ids(own).count == 5)
            let past = try await fixture.ask("media.list", ["page": 1_000_000, "limit": 100], by: owner).json
            #expect(ids(past).isEmpty && past["totalMedia"]?.integer == 25)
        }
    }

    @Test(
        "a list request with an invalid or unknown field gets 422 with a pointer to the field",
        arguments: [
            (["cursor": "AAAA"], "/cursor"), (["cursor": "' OR 1=1"], "/cursor"), (["cursor": ""], "/cursor"),
            (["limit": 0], "/limit"), (["limit": 101], "/limit"), (["limit": 1_000_000_000], "/limit"),
            (["page": 0], "/page"), (["page": 9_223_372_036_854_775_807], "/page"), (["owner": "x"], "/owner"),
        ] as [(JSON, String)])
    @Loop func refused(_ query: JSON, _ pointer: String) async throws {
        try await MediaFixture.with { fixture async throws in
            let reply = try await fixture.ask("media.list", query, by: MediaFixture.owner())
            #expect((reply.status, reply.code) == (422, "invalid"))
            #expect(Set(reply.pointers) == [pointer])
        }
    }

    private func ids(_ page: JSON) -> [String] { page["media"]?.array?.compactMap { $0["id"]?.string } ?? [] }
}
