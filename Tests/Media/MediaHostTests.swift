import Contracts
import DatabaseSupport
import FoundationEssentials
import Reactor
import TestSupport
import Testing

@testable import MediaService
@testable import WorkerKit

@Suite("Media host failures", .timeLimit(.minutes(3)))
struct MediaHostTests {
    @Test(
        "a transient failure of the media host is retried before the deadline, and one image is stored",
        arguments: [
            ["status": 500, "count": 2], ["status": 502, "count": 1], ["status": 503, "count": 2],
            ["status": 420, "count": 1], ["status": 423, "count": 2], ["status": 429, "count": 2],
            ["cut": true, "count": 1], ["cut": true, "after": true, "count": 2],
            ["status": 503, "after": true, "count": 1],
        ] as [JSON])
    @Loop func transient(_ fault: JSON) async throws {
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

    @Test("an upload that begins while the media host is down succeeds when the host has restarted")
    @Loop func away() async throws {
        try await MediaFixture.with { fixture async throws in
            let port = fixture.host.port
            try await fixture.host.crash()
            async let reply = fixture.upload(by: MediaFixture.owner())
            try await Loop.sleep(for: .milliseconds(600))
            let again = try await LocalCloudinary(in: fixture.host.folder, port: port)
            #expect(try await reply.status == 201)
            _ = try await again.stop()
        }
    }

    @Test("if the media host fails until the time limit of an upload, a later delivery carries out the upload")
    @Loop func retriedLater() async throws {
        var options = MediaFixture.Options()
        options.uploadTimeLimit = .seconds(1)
        try await MediaFixture.with(options) { fixture async throws in
            let message = MediaFixture.upload(SamplePicture.png, by: MediaFixture.owner())
            try await fixture.injectFaults(["status": 503])
            let error = await #expect(throws: CloudinaryError.self) { try await fixture.deliver(message) }
            #expect(error?.code == .unavailable)
            #expect(try await fixture.unfinishedUploadCount() == 1)
            try await fixture.endFaults()
            #expect(try await fixture.deliver(message)?.status == 201)
            #expect(try await fixture.unfinishedUploadCount() == 0)
            #expect(try await fixture.assets().count == 1)
        }
    }

    @Test("if the media host refuses an upload, a waiting sender gets 503 and can send the same upload again")
    @Loop func permanent() async throws {
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

    @Test("if the media host refuses an upload without a waiting sender, a later delivery carries out the upload")
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

    @Test("a file that the media host cannot decode is refused with 415")
    @Loop func badFile() async throws {
        try await MediaFixture.with { fixture async throws in
            try await fixture.injectFaults(["status": 400, "path": "upload", "count": 1])
            let reply = try await fixture.upload(by: MediaFixture.owner())
            #expect((reply.status, reply.code) == (415, "unsupported-media-type"))
        }
    }

    @Test(
        "the error code of a failed call is determined by the status and, for status 400, by the message",
        arguments: [
            (408, "", ErrorCode<CloudinaryError>.unavailable), (420, "", .unavailable),
            (423, "Resource is locked", .unavailable),
            (429, "", .unavailable), (500, "", .unavailable), (599, "", .unavailable),
            (400, "Invalid image file", .invalidFile),
            (400, "Stale request - reported time is 2020", .refused),
            (400, "Missing required parameter - file", .refused), (401, "Invalid Signature", .refused),
            (403, "", .refused), (404, "", .refused), (302, "", .refused),
        ])
    func codes(_ status: Int, _ message: String, _ kind: ErrorCode<CloudinaryError>) {
        let body: JSON = ["error": ["message": .string(message)]]
        let error = CloudinaryError(status: status, body: body.serialized())
        #expect(error.code == kind)
    }

    @Test(
        "a malformed CLOUDINARY_URL is refused with an error that does not contain the secret",
        arguments: [
            "cloudinary://key:hidden@", "cloudinary://:hidden@cloud", "http://key:hidden@cloud", "hidden",
            "cloudinary://key:hidden@cloud?upload_prefix=ftp://x", "cloudinary://hidden@cloud",
        ])
    func account(url: String) throws {
        let fault = #expect(throws: ParseError.self) { try CloudinaryAccount(url: url) }
        #expect(fault?.description.contains("hidden") == false)
    }
}
