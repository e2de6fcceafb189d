import Contracts
import DatabaseSupport
import FoundationEssentials
import Reactor
import TestSupport
import Testing

@testable import MediaService
@testable import WorkerKit

@Suite("A media host that fails", .timeLimit(.minutes(3)))
struct MediaHostTests {
    @Test(
        "for a passing reason is asked again within the deadline, and the picture is kept once",
        arguments: [
            ["status": 500, "count": 2], ["status": 502, "count": 1], ["status": 503, "count": 2],
            ["status": 420, "count": 1], ["status": 423, "count": 2], ["status": 429, "count": 2],
            ["cut": true, "count": 1], ["cut": true, "after": true, "count": 2],
            ["status": 503, "after": true, "count": 1],
        ] as [JSON])
    @Loop func passing(_ fault: JSON) async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            try await fixture.injectFaults(fault)
            let reply = try await fixture.upload(by: owner)
            #expect(reply.status == 201, "\(reply.text)")
            let media = try Media.schema.decode(JSON.parse(reply.body))
            #expect(try await fixture.assets() == [media.id.text])
            try await fixture.injectFaults(fault)
            #expect(try await fixture.delete(media.id, by: owner).status == 204)
            #expect(try await fixture.assets().isEmpty)
        }
    }

    @Test("that is away for a moment is waited for")
    @Loop func away() async throws {
        try await MediaFixture.with { fixture async throws in
            let port = fixture.host.port
            try await fixture.host.crash()
            async let reply = fixture.upload(by: MediaFixture.owner())
            try await Loop.sleep(for: .milliseconds(600))
            let again = try await LocalCloudinary(in: fixture.host.scratch, port: port)
            #expect(try await reply.status == 201)
            _ = try await again.stop()
        }
    }

    @Test("for longer than anyone waits puts the upload off, which a later delivery carries out")
    @Loop func putOff() async throws {
        var options = MediaFixture.Options()
        options.uploadTimeLimit = .seconds(1)
        try await MediaFixture.with(options) { fixture async throws in
            let message = MediaFixture.upload(SamplePicture.png, by: MediaFixture.owner())
            try await fixture.injectFaults(["status": 503])
            let error = await #expect(throws: CloudinaryError.self) { try await fixture.deliver(message) }
            #expect(error?.code == .unavailable)
            #expect(try await fixture.uploads() == 1)
            try await fixture.endFaults()
            #expect(try await fixture.deliver(message)?.status == 201)
            #expect(try await fixture.uploads() == 0)
            #expect(try await fixture.assets().count == 1)
        }
    }

    @Test("for a lasting reason is told as 503 with a clear code to the sender who waits, who may try the same again")
    @Loop func lasting() async throws {
        var options = MediaFixture.Options()
        options.secret = "wrong"
        try await MediaFixture.with(options) { fixture async throws in
            let message = MediaFixture.upload(SamplePicture.png, by: MediaFixture.owner())
            for _ in 0..<2 {
                let reply = try #require(try await fixture.deliver(message))
                #expect((reply.status, reply.code) == (503, "unavailable"))
                #expect(reply.retryAfter != nil)
                #expect(!reply.text.contains("Signature") && !reply.text.contains("401"))
            }
            #expect(try await fixture.database.count("SELECT count(*) FROM inbox") == 0)
        }
    }

    @Test("for a lasting reason drops nothing that was accepted: where nobody waits the upload is put off")
    @Loop func accepted() async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            let message = MediaFixture.upload(SamplePicture.png, by: owner, isAwaited: false)
            try await fixture.injectFaults(["status": 403])
            let error = await #expect(throws: CloudinaryError.self) { try await fixture.deliver(message) }
            #expect(error?.code == .refused)
            try await fixture.endFaults()
            #expect(try await fixture.deliver(message)?.status == 201)
            let media = try #require(try await fixture.assets().first.flatMap { UUID(text: $0) })
            try await fixture.injectFaults(["status": 403, "path": "destroy"])
            #expect(try await fixture.delete(media, by: owner).code == "unavailable")
            #expect(try await fixture.database.count("SELECT count(*) FROM media") == 1)
        }
    }

    @Test("takes a file that only looks like a picture for none: that is 415")
    @Loop func badFile() async throws {
        try await MediaFixture.with { fixture async throws in
            try await fixture.injectFaults(["status": 400, "path": "upload", "count": 1])
            let reply = try await fixture.upload(by: MediaFixture.owner())
            #expect((reply.status, reply.code) == (415, "unsupported-media-type"))
        }
    }

    @Test(
        "is understood by its status, and by its words where one status means two things",
        arguments: [
            (408, "", ErrorCode<CloudinaryError>.unavailable), (420, "", .unavailable),
            (423, "Resource is locked", .unavailable),
            (429, "", .unavailable), (500, "", .unavailable), (599, "", .unavailable),
            (400, "Invalid image file", .invalidFile),
            (400, "Stale request - reported time is 2020", .refused),
            (400, "Missing required parameter - file", .refused), (401, "Invalid Signature", .refused),
            (403, "", .refused), (404, "", .refused), (302, "", .refused),
        ])
    func kinds(_ status: Int, _ message: String, _ kind: ErrorCode<CloudinaryError>) {
        let body: JSON = ["error": ["message": .string(message)]]
        let error = CloudinaryError(status: status, body: body.serialized())
        #expect(error.code == kind)
    }
}
