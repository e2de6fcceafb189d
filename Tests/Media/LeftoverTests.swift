import Contracts
import Curl
import DatabaseSupport
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import MediaService
@testable import WorkerKit

@Suite("Leftover images", .timeLimit(.minutes(3)))
struct LeftoverTests {
    /// Delivers two messages at the same time. The media host carries out one of their uploads late. Calls `meanwhile`
    /// with the first reply before that.
    @Loop private func deliver(
        _ messages: [IncomingMessage], _ fixture: MediaFixture,
        meanwhile: @Loop (Media) async throws -> Void = { _ in }
    ) async throws {
        try await withThrowingTaskGroup(of: Reply?.self) { group in
            for message in messages { group.addTask { try await fixture.deliver(message) } }
            let first = try #require(try await group.next() ?? nil)
            #expect(first.status == 201, "\(first.text)")
            #expect(try await fixture.assets().count == 1)
            try await meanwhile(try Media.schema.decode(JSON.parse(first.body)))
            let second = try #require(try await group.next() ?? nil)
            #expect(second.body == first.body)
        }
    }

    /// Two uploads of different pictures with the same key, in the same second.
    @Loop private static func differentPictures() -> [IncomingMessage] {
        let (owner, id, now) = (MediaFixture.owner(), UUID(), Timestamp.now())
        return [SamplePicture.png, SamplePicture.jpeg].map {
            IncomingMessage(type: "media.upload", id: id, caller: owner, body: $0, isAwaited: true, sentAt: now)
        }
    }

    private static let lateUpload: JSON = ["delayMilliseconds": 1500, "path": "upload", "count": 1]
    /// The image is deleted at once, but the response arrives after the late upload.
    private static let lateResponse: JSON = ["delayMilliseconds": 3000, "after": true, "path": "destroy", "count": 1]

    @Test(
        "an image that a second delivery stores during or after the deletion of its media is removed at once",
        arguments: [true, false], [true, false])
    @Loop func deleted(_ endsDeletionLast: Bool, _ isPostDeleted: Bool) async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            let message = MediaFixture.upload(SamplePicture.png, by: owner)
            let faults = [Self.lateUpload] + (endsDeletionLast ? [Self.lateResponse] : [])
            try await fixture.injectFaults(.array(faults))
            try await deliver([message, message], fixture) { media in
                if isPostDeleted {
                    try await fixture.postDeleted([media.id], author: owner.id)
                } else {
                    #expect(try await fixture.delete(media.id, by: owner).status == 204)
                }
            }
            #expect(try await fixture.assets().isEmpty)
            #expect(try await fixture.database.count("SELECT count(*) FROM media") == 0)
            try await fixture.sweeper.sweep(olderThan: .zero)
            #expect(try await fixture.database.count("SELECT count(*) FROM upload") == 0)
        }
    }

    @Test("a repetition that reaches a second worker before the first upload has finished leaves one image")
    @Loop func repetition() async throws {
        try await MediaFixture.with { fixture async throws in
            let (owner, id, now) = (MediaFixture.owner(), UUID(), Timestamp.now())
            // The id has no time, so both messages derive different ids of the media from it.
            let messages = [now, now.advanced(by: .seconds(2))].map {
                IncomingMessage(
                    type: "media.upload", id: id, caller: owner, body: SamplePicture.png, isAwaited: true, sentAt: $0)
            }
            #expect(await messages[0].newIDOfContent() != messages[1].newIDOfContent())
            try await fixture.injectFaults(Self.lateUpload)
            var kept: UUID?
            try await deliver(messages, fixture) { kept = $0.id }
            #expect(try await fixture.assets() == [kept?.text])
            #expect(try await fixture.database.count("SELECT count(*) FROM media") == 1)
        }
    }

    @Test("a different picture with the same key, sent in the same second, does not replace the first one")
    @Loop func otherContent() async throws {
        try await MediaFixture.with { fixture async throws in
            let messages = Self.differentPictures()
            // The first upload reaches the media host last.
            try await fixture.injectFaults(Self.lateUpload)
            let (first, second) = (messages[0], messages[1])
            async let late = fixture.deliver(first)
            async let early = fixture.deliver(second)
            let replies = try await [late, early].compactMap { $0 }
            let stored = try #require(replies.first { $0.status == 201 })
            let refused = try #require(replies.first { $0.status != 201 })
            #expect(refused.code == "idempotency-key-reused")
            let media = try Media.schema.decode(JSON.parse(stored.body))
            #expect(try await fixture.assets() == [media.id.text])
            let kept = messages.map(\.body).first { $0.count == media.bytes }
            #expect(try await fixture.download(media.url).body == kept)
        }
    }

    @Test("a picture that the media host kept is removed if another picture with the same key was stored meanwhile")
    @Loop func otherContentMeanwhile() async throws {
        try await MediaFixture.with { fixture async throws in
            let messages = Self.differentPictures()
            // The media host stores the first picture, but its responses are lost.
            try await fixture.injectFaults(["cut": true, "after": true, "path": "upload"])
            let lost = try? await fixture.deliver(messages[0])
            #expect(lost?.status != 201)
            #expect(try await fixture.assets().count == 1)
            try await fixture.endFaults()
            let stored = try #require(try await fixture.deliver(messages[1]))
            #expect(stored.status == 201)
            let refused = try await fixture.deliver(messages[0])
            #expect(refused?.code == "idempotency-key-reused")
            #expect(try await fixture.assets() == [try Media.schema.decode(JSON.parse(stored.body)).id.text])
        }
    }

    @Test("the row of an upload whose first attempt failed stays, because Cloudinary may carry the attempt out late")
    @Loop func failedAttempt() async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            try await fixture.injectFaults(["status": 503, "path": "upload", "count": 1])
            let reply = try await fixture.deliver(MediaFixture.upload(SamplePicture.png, by: owner))
            #expect(reply?.status == 201)
            #expect(try await fixture.database.count("SELECT count(*) FROM upload WHERE is_finished") == 1)
            let media = try Media.schema.decode(JSON.parse(try #require(reply).body))
            #expect(try await fixture.delete(media.id, by: owner).status == 204)
            // The late attempt.
            let late = CloudinaryClient(account: fixture.account, http: fixture.http)
            _ = try await late.upload(SamplePicture.png, id: media.id, type: "image/png", until: .now + .seconds(5))
            try await fixture.sweeper.sweep(olderThan: .zero)
            #expect(try await fixture.assets().isEmpty)
            #expect(try await fixture.database.count("SELECT count(*) FROM upload") == 0)
        }
    }

    @Test("images are not looked for on a server that refuses writes, because a standby may lack the newest rows")
    @Loop func standby() async throws {
        try await MediaFixture.with { fixture async throws in
            let setting = Statement("SELECT set_config('default_transaction_read_only', 'on', false)")
            _ = try await fixture.database.query(setting)
            let error = await #expect(throws: PostgresError.self) {
                try await fixture.database.query(MediaStatements.leftovers, [UUID()], UUID(), true)
            }
            #expect(error?.code == .sqlState("25006"))
        }
    }

    @Test("a slow search for leftovers delays the reply by at most its time limit, and the connection stays open")
    @Loop func slowDatabase() async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            let reply = try #require(try await fixture.deliver(MediaFixture.upload(SamplePicture.png, by: owner)))
            let media = try Media.schema.decode(JSON.parse(reply.body))
            let connections = try await backends(of: fixture.pool)
            let lock = try await fixture.database.begin()
            _ = try await lock.query(Statement("LOCK TABLE upload IN ACCESS EXCLUSIVE MODE"))
            // The statement waits for the lock until its deadline, 30 s.
            let start = ContinuousClock.now
            #expect(try await fixture.delete(media.id, by: owner).status == 204)
            #expect(ContinuousClock.now - start < .seconds(15))
            // The connection of a statement whose deadline passes is closed a second later.
            try await Loop.sleep(for: .seconds(2))
            await lock.rollback()
            #expect(try await backends(of: fixture.pool) == connections)
        }
    }

    /// Returns the pids of the server's processes for the three connections of a pool.
    @Loop private func backends(of pool: PostgresPool) async throws -> Set<Int32> {
        let leases = try await [pool.begin(), pool.begin(), pool.begin()]
        var pids: Set<Int32> = []
        for lease in leases {
            pids.insert(try #require(try await lease.query(Statement("SELECT pg_backend_pid()")).first).get(0))
            await lease.rollback()
        }
        #expect(pids.count == 3)
        return pids
    }

    @Test("the deletion of a media item removes no image of an upload that is under way")
    @Loop func otherUpload() async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            let message = MediaFixture.upload(SamplePicture.png, by: owner)
            let id = await message.newIDOfContent()
            try await fixture.injectFaults(["delayMilliseconds": 1500, "after": true, "path": "upload", "count": 1])
            async let reply = fixture.deliver(message)
            #expect(try await eventually { try await fixture.assets().count == 1 })
            #expect(try await fixture.delete(id, by: owner).status == 404)
            try await fixture.postDeleted([id], author: owner.id)
            #expect(try await reply?.status == 201)
            #expect(try await fixture.assets() == [id.text])
        }
    }
}
