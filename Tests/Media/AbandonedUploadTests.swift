import Contracts
import DatabaseSupport
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import MediaService
@testable import WorkerKit

@Suite("A picture whose upload ended between the media host and the database", .timeLimit(.minutes(3)))
struct AbandonedUploadTests {
    private static let leaveUpload = Statement(
        "INSERT INTO upload VALUES (gen_random_uuid(), gen_random_uuid(), now() - interval '2 h')")

    /// Uploads, and has the database go away once the media host has the picture.
    @Loop private func abandon(_ message: IncomingMessage, _ fixture: MediaFixture) async throws {
        try await fixture.injectFaults(["delayMilliseconds": 1000, "after": true, "path": "upload", "count": 1])
        async let outcome = fixture.deliver(message)
        #expect(try await eventually { try await fixture.assets().count == 1 })
        fixture.databaseProxy.refuse()
        var failure: (any Error)?
        do { _ = try await outcome } catch { failure = error }
        #expect(failure != nil)
        fixture.databaseProxy.resume()
        #expect(try await fixture.assets().count == 1)
        #expect(try await fixture.database.count("SELECT count(*) FROM media") == 0)
        #expect(try await fixture.uploads() == 1)
    }

    /// Sweeps as soon as the pool has found back to the database.
    @Loop private func sweep(_ fixture: MediaFixture, olderThan age: Duration = .zero, claim: Duration = .seconds(600))
        async throws
    {
        let isDone = try await eventually(within: .seconds(20)) {
            (try? await fixture.sweeper.sweep(olderThan: age, claim: claim)) != nil
        }
        #expect(isDone)
    }

    @Test("is adopted by the command's next delivery")
    @Loop func adopted() async throws {
        try await MediaFixture.with { fixture async throws in
            let message = MediaFixture.upload(SamplePicture.png, by: MediaFixture.owner())
            try await abandon(message, fixture)
            let isAdopted = try await eventually(within: .seconds(20)) {
                (try? await fixture.deliver(message))?.status == 201
            }
            #expect(isAdopted)
            #expect(try await fixture.assets().count == 1)
            #expect(try await fixture.uploads() == 0)
            try await sweep(fixture)
            #expect(try await fixture.assets().count == 1)
        }
    }

    @Test("is removed in the end where the command never succeeds, and a replay begins anew")
    @Loop func removed() async throws {
        try await MediaFixture.with { fixture async throws in
            let message = MediaFixture.upload(SamplePicture.png, by: MediaFixture.owner())
            try await abandon(message, fixture)
            // Not while it may still succeed.
            try await sweep(fixture, olderThan: UploadSweeper.abandonedAfter)
            #expect(try await fixture.assets().count == 1)
            try await sweep(fixture)
            #expect(try await fixture.assets().isEmpty)
            #expect(try await fixture.uploads() == 0)
            #expect(try await fixture.deliver(message)?.status == 201)
            #expect(try await fixture.assets().count == 1)
        }
    }

    @Test("is not removed where a second delivery began while the first one committed, and left its note behind")
    @Loop func twoDeliveries() async throws {
        try await MediaFixture.with { fixture async throws in
            let message = MediaFixture.upload(SamplePicture.png, by: MediaFixture.owner())
            #expect(try await fixture.deliver(message)?.status == 201)
            _ = try await fixture.database.query(
                Statement("INSERT INTO upload (id, owner_id) SELECT id, owner_id FROM media"))
            #expect(try await fixture.uploads() == 1)
            try await sweep(fixture)
            #expect(try await fixture.assets().count == 1)
            #expect(try await fixture.database.count("SELECT count(*) FROM media") == 1)
            #expect(try await fixture.uploads() == 0)
        }
    }

    @Test("stays noted until it is really removed, and holds up no other")
    @Loop func hostFails() async throws {
        try await MediaFixture.with { fixture async throws in
            for _ in 0..<3 {
                _ = try await fixture.database.query(Self.leaveUpload)
            }
            // Signed with another secret it would be refused; here it is the host that refuses, once.
            try await fixture.injectFaults(["status": 403, "path": "destroy", "count": 1])
            try await fixture.sweeper.sweep()
            #expect(try await fixture.uploads() == 1)
            // Its claim holds for a while, lest two sweepers do the same.
            try await fixture.sweeper.sweep()
            #expect(try await fixture.uploads() == 1)
            try await fixture.sweeper.sweep(claim: .zero)
            #expect(try await fixture.uploads() == 0)
        }
    }

    @Test("is not uploaded anew while a sweeper removes it, and an upload that a sweeper overtook keeps no row")
    @Loop func overtaken() async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            let message = MediaFixture.upload(SamplePicture.png, by: owner)
            try await fixture.injectFaults(["delayMilliseconds": 1500, "after": true, "path": "upload", "count": 1])
            async let outcome = fixture.deliver(message)
            #expect(try await eventually { try await fixture.assets().count == 1 })
            _ = try await fixture.database.query(Statement("UPDATE upload SET swept_at = now()"))
            let refusal = await #expect(throws: UploadError.self) { try await fixture.deliver(message) }
            #expect(refusal?.code == .removalInProgress)
            #expect(refusal?.isTransient == true)
            var failure: (any Error)?
            do { _ = try await outcome } catch { failure = error }
            #expect(failure is PostgresError)
            #expect(try await fixture.database.count("SELECT count(*) FROM media") == 0)
            #expect(try await fixture.eventSubjects("media.uploaded").isEmpty)
            try await fixture.sweeper.sweep(olderThan: .zero, claim: .zero)
            #expect(try await fixture.assets().isEmpty)
            #expect(try await fixture.deliver(message)?.status == 201)
        }
    }

    @Test("is swept by workers side by side, each picture by one of them")
    @Loop func sideBySide() async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            let kept = try await fixture.picture(by: owner)
            for _ in 0..<45 {
                _ = try await fixture.database.query(Self.leaveUpload)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 { group.addTask { try await fixture.sweeper.sweep() } }
                try await group.waitForAll()
            }
            #expect(try await fixture.uploads() == 0)
            #expect(fixture.host.log.split(separator: #""message":"destroyed""#).count == 46)
            #expect(try await fixture.assets() == [kept.id.text])
        }
    }
}
