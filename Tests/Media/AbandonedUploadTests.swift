import Contracts
import DatabaseSupport
import FaultProxy
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import MediaService
@testable import WorkerKit

@Suite("Abandoned uploads", .timeLimit(.minutes(3)))
struct AbandonedUploadTests {
    private static let insertAbandonedUpload = Statement(
        "INSERT INTO upload VALUES (gen_random_uuid(), gen_random_uuid(), now() - interval '2 h')")

    /// Uploads an image and disconnects the database as soon as the media host has the image.
    @Loop private func interruptUpload(_ message: IncomingMessage, _ fixture: MediaFixture) async throws {
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
        #expect(try await fixture.unfinishedUploadCount() == 1)
    }

    /// Sweeps as soon as the pool has reconnected to the database.
    @Loop private func sweep(_ fixture: MediaFixture, olderThan age: Duration = .zero, claim: Duration = .seconds(600))
        async throws
    {
        let isDone = try await eventually(within: .seconds(20)) {
            (try? await fixture.sweeper.sweep(olderThan: age, claim: claim)) != nil
        }
        #expect(isDone)
    }

    @Test("the next delivery of an interrupted upload completes the upload, and one image is stored")
    @Loop func completed() async throws {
        try await MediaFixture.with { fixture async throws in
            let message = MediaFixture.upload(SamplePicture.png, by: MediaFixture.owner())
            try await interruptUpload(message, fixture)
            let isCompleted = try await eventually(within: .seconds(20)) {
                (try? await fixture.deliver(message))?.status == 201
            }
            #expect(isCompleted)
            #expect(try await fixture.assets().count == 1)
            #expect(try await fixture.unfinishedUploadCount() == 0)
            try await sweep(fixture)
            #expect(try await fixture.assets().count == 1)
        }
    }

    @Test("a worker sweeps as soon as it starts")
    @Loop func sweepAtStart() async throws {
        try await MediaFixture.with { fixture async throws in
            _ = try await fixture.database.query(Self.insertAbandonedUpload)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await fixture.sweeper.run() }
                let isSwept = try await eventually { try await fixture.unfinishedUploadCount() == 0 }
                #expect(isSwept)
                fixture.sweeper.close()
                try await group.waitForAll()
            }
        }
    }

    @Test("the sweeper removes the image of an abandoned upload, and a replay uploads the image again")
    @Loop func removed() async throws {
        try await MediaFixture.with { fixture async throws in
            let message = MediaFixture.upload(SamplePicture.png, by: MediaFixture.owner())
            try await interruptUpload(message, fixture)
            // The upload is too recent to count as abandoned.
            try await sweep(fixture, olderThan: UploadSweeper.abandonedAfter)
            #expect(try await fixture.assets().count == 1)
            try await sweep(fixture)
            #expect(try await fixture.assets().isEmpty)
            #expect(try await fixture.unfinishedUploadCount() == 0)
            #expect(try await fixture.deliver(message)?.status == 201)
            #expect(try await fixture.assets().count == 1)
        }
    }

    @Test("the sweeper keeps the image of a finished upload and deletes a row that a redelivery left behind")
    @Loop func twoDeliveries() async throws {
        try await MediaFixture.with { fixture async throws in
            let message = MediaFixture.upload(SamplePicture.png, by: MediaFixture.owner())
            #expect(try await fixture.deliver(message)?.status == 201)
            _ = try await fixture.database.query(
                Statement("INSERT INTO upload (id, owner_id) SELECT id, owner_id FROM media"))
            #expect(try await fixture.unfinishedUploadCount() == 1)
            try await sweep(fixture)
            #expect(try await fixture.assets().count == 1)
            #expect(try await fixture.database.count("SELECT count(*) FROM media") == 1)
            #expect(try await fixture.unfinishedUploadCount() == 0)
        }
    }

    @Test("if one image cannot be removed, a later sweep removes it, and the other images are removed at once")
    @Loop func hostFails() async throws {
        try await MediaFixture.with { fixture async throws in
            for _ in 0..<3 {
                _ = try await fixture.database.query(Self.insertAbandonedUpload)
            }
            // The host refuses one of the three calls.
            try await fixture.injectFaults(["status": 403, "path": "destroy", "count": 1])
            try await fixture.sweeper.sweep()
            #expect(try await fixture.unfinishedUploadCount() == 1)
            // The claim of the first sweep has not expired, so the second sweep skips the upload.
            try await fixture.sweeper.sweep()
            #expect(try await fixture.unfinishedUploadCount() == 1)
            try await fixture.sweeper.sweep(claim: .zero)
            #expect(try await fixture.unfinishedUploadCount() == 0)
        }
    }

    @Test("while a sweeper removes an upload's image, a new delivery fails, and a running delivery stores no media")
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

    @Test("three concurrent sweepers remove each abandoned upload exactly once")
    @Loop func concurrentSweepers() async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            let kept = try await fixture.picture(by: owner)
            for _ in 0..<45 {
                _ = try await fixture.database.query(Self.insertAbandonedUpload)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 { group.addTask { try await fixture.sweeper.sweep() } }
                try await group.waitForAll()
            }
            #expect(try await fixture.unfinishedUploadCount() == 0)
            #expect(try await fixture.assets() == [kept.id.text])
            // The host writes the rest of its log when it stops.
            #expect(try await fixture.host.stop() == 0)
            #expect(fixture.host.log.split(separator: #""message":"destroy was requested""#).count == 46)
        }
    }

    @Test("an upload counts as abandoned one hour after its last attempt began, and not before")
    @Loop func abandonment() async throws {
        try await MediaFixture.with { fixture async throws in
            for age in ["55 min", "65 min"] {
                let begun = "now() - interval '\(age)'"
                _ = try await fixture.database.query(
                    Statement("INSERT INTO upload VALUES (gen_random_uuid(), gen_random_uuid(), \(begun))"))
            }
            try await fixture.sweeper.sweep()
            #expect(
                try await fixture.database.count("SELECT count(*) FROM upload WHERE begun_at < now() - interval '1 h'")
                    == 0)
            #expect(try await fixture.unfinishedUploadCount() == 1)
        }
    }
}
