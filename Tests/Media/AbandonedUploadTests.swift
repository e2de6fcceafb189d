import Contracts
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
    @Loop private func abandon(_ message: IncomingMessage, _ bench: MediaBench) async throws {
        try await bench.order(["delayMilliseconds": 1000, "after": true, "path": "upload", "count": 1])
        async let outcome = bench.deliver(message)
        #expect(try await eventually { try await bench.assets().count == 1 })
        bench.between.refuse()
        var failure: (any Error)?
        do { _ = try await outcome } catch { failure = error }
        #expect(failure != nil)
        bench.between.resume()
        #expect(try await bench.assets().count == 1)
        #expect(try await bench.count("SELECT count(*) FROM media") == 0)
        #expect(try await bench.uploads() == 1)
    }

    /// Sweeps as soon as the pool has found back to the database.
    @Loop private func sweep(_ bench: MediaBench, olderThan age: Duration = .zero, claim: Duration = .seconds(600))
        async throws
    {
        let isDone = try await eventually(within: .seconds(20)) {
            (try? await bench.sweeper.sweep(olderThan: age, claim: claim)) != nil
        }
        #expect(isDone)
    }

    @Test("is adopted by the command's next delivery")
    @Loop func adopted() async throws {
        try await MediaBench.with { bench async throws in
            let message = MediaBench.upload(SamplePicture.png, by: MediaBench.owner())
            try await abandon(message, bench)
            let isAdopted = try await eventually(within: .seconds(20)) {
                (try? await bench.deliver(message))?.status == 201
            }
            #expect(isAdopted)
            #expect(try await bench.assets().count == 1)
            #expect(try await bench.uploads() == 0)
            try await sweep(bench)
            #expect(try await bench.assets().count == 1)
        }
    }

    @Test("is removed in the end where the command never succeeds, and a replay begins anew")
    @Loop func removed() async throws {
        try await MediaBench.with { bench async throws in
            let message = MediaBench.upload(SamplePicture.png, by: MediaBench.owner())
            try await abandon(message, bench)
            // Not while it may still succeed.
            try await sweep(bench, olderThan: UploadSweeper.abandonedAfter)
            #expect(try await bench.assets().count == 1)
            try await sweep(bench)
            #expect(try await bench.assets().isEmpty)
            #expect(try await bench.uploads() == 0)
            #expect(try await bench.deliver(message)?.status == 201)
            #expect(try await bench.assets().count == 1)
        }
    }

    @Test("is not removed where a second delivery began while the first one committed, and left its note behind")
    @Loop func twoDeliveries() async throws {
        try await MediaBench.with { bench async throws in
            let message = MediaBench.upload(SamplePicture.png, by: MediaBench.owner())
            #expect(try await bench.deliver(message)?.status == 201)
            _ = try await bench.database.query(
                Statement("INSERT INTO upload (id, owner_id) SELECT id, owner_id FROM media"))
            #expect(try await bench.uploads() == 1)
            try await sweep(bench)
            #expect(try await bench.assets().count == 1)
            #expect(try await bench.count("SELECT count(*) FROM media") == 1)
            #expect(try await bench.uploads() == 0)
        }
    }

    @Test("stays noted until it is really removed, and holds up no other")
    @Loop func hostFails() async throws {
        try await MediaBench.with { bench async throws in
            for _ in 0..<3 {
                _ = try await bench.database.query(Self.leaveUpload)
            }
            // Signed with another secret it would be refused; here it is the host that refuses, once.
            try await bench.order(["status": 403, "path": "destroy", "count": 1])
            try await bench.sweeper.sweep()
            #expect(try await bench.uploads() == 1)
            // Its claim holds for a while, lest two sweepers do the same.
            try await bench.sweeper.sweep()
            #expect(try await bench.uploads() == 1)
            try await bench.sweeper.sweep(claim: .zero)
            #expect(try await bench.uploads() == 0)
        }
    }

    @Test("is not uploaded anew while a sweeper removes it, and an upload that a sweeper overtook keeps no row")
    @Loop func overtaken() async throws {
        try await MediaBench.with { bench async throws in
            let owner = MediaBench.owner()
            let message = MediaBench.upload(SamplePicture.png, by: owner)
            try await bench.order(["delayMilliseconds": 1500, "after": true, "path": "upload", "count": 1])
            async let outcome = bench.deliver(message)
            #expect(try await eventually { try await bench.assets().count == 1 })
            _ = try await bench.database.query(Statement("UPDATE upload SET swept_at = now()"))
            let refusal = await #expect(throws: UploadError.self) { try await bench.deliver(message) }
            #expect(refusal?.code == .removalInProgress)
            #expect(refusal?.isTransient == true)
            var failure: (any Error)?
            do { _ = try await outcome } catch { failure = error }
            #expect(failure is PostgresError)
            #expect(try await bench.count("SELECT count(*) FROM media") == 0)
            #expect(try await bench.events("media.uploaded").isEmpty)
            try await bench.sweeper.sweep(olderThan: .zero, claim: .zero)
            #expect(try await bench.assets().isEmpty)
            #expect(try await bench.deliver(message)?.status == 201)
        }
    }

    @Test("is swept by workers side by side, each picture by one of them")
    @Loop func sideBySide() async throws {
        try await MediaBench.with { bench async throws in
            let owner = MediaBench.owner()
            let kept = try await bench.picture(by: owner)
            for _ in 0..<45 {
                _ = try await bench.database.query(Self.leaveUpload)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 { group.addTask { try await bench.sweeper.sweep() } }
                try await group.waitForAll()
            }
            #expect(try await bench.uploads() == 0)
            #expect(bench.host.log.split(separator: #""message":"destroyed""#).count == 46)
            #expect(try await bench.assets() == [kept.id.text])
        }
    }
}
