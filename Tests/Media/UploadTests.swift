import Contracts
import Curl
import DatabaseSupport
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Uploads", .timeLimit(.minutes(3)))
struct UploadTests {
    @Test("an image of each type without metadata is stored unchanged, with the type and the size that its bytes have")
    @Loop func kinds() async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            for (file, type) in SamplePicture.all {
                let reply = try await fixture.upload(file, by: owner)
                #expect(reply.status == 201, "\(reply.text)")
                let media = try Media.schema.decode(JSON.parse(reply.body))
                #expect(reply.location == "/v1/media/\(media.id.text)")
                #expect((media.contentType, media.bytes, media.width, media.height) == (type, file.count, 16, 9))
                let delivered = try await fixture.download(media.url)
                #expect(delivered.body == file)
                #expect(delivered.header("Content-Type") == type)
                let read = try await fixture.ask("media.get", ["id": .string(media.id.text)], by: owner)
                #expect(read.body == reply.body)
                #expect(try await fixture.eventSubjects("media.uploaded").last == media.id.text)
            }
            #expect(try await fixture.assets().count == SamplePicture.all.count)
            #expect(try await fixture.unfinishedUploadCount() == 0)
        }
    }

    /// Each file with its description: not an image, disguised, or damaged.
    static let invalidFiles: [(String, [UInt8])] = [
        ("an empty file", []),
        ("an SVG", Array("<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".utf8)),
        ("an HTML page", Array("<!doctype html><script>alert(1)</script>".utf8)),
        ("a URL", Array("https://example.org/cat.png".utf8)),
        ("a data URL", Array("data:image/png;base64,iVBORw0KGgo=".utf8)),
        ("an S3 URL", Array("s3://bucket/cat.png".utf8)),
        ("a PDF", Array("%PDF-1.7\n".utf8)),
        ("a BMP", Array("BM".utf8) + [UInt8](repeating: 0, count: 60)),
        ("an archive", [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 60)),
        ("a program", [0x7F, 0x45, 0x4C, 0x46] + [UInt8](repeating: 0, count: 60)),
        ("a script that begins like a GIF", Array("GIF89a=1;alert(1);//".utf8)),
        ("an HTML page after a PNG signature", SamplePicture.pngSignature + Array("<script>alert(1)</script>".utf8)),
        ("a truncated JPEG", Array(SamplePicture.jpeg.prefix(140))),
        ("a truncated PNG", Array(SamplePicture.png.prefix(60))),
        ("a truncated WebP", Array(SamplePicture.lossyWebP.dropLast(8))),
        ("a PNG without pixels", SamplePicture.png(width: 0, height: 9)),
        ("a JPEG without pixels", SamplePicture.jpeg(width: 16, height: 0)),
        ("a truncated AVIF", Array(SamplePicture.avif.dropLast())),
        ("a HEIC", SamplePicture.avif(brand: "heic", brands: ["mif1", "heic"], type: "hvc1")),
    ]

    @Test(
        "a file that is not a complete JPEG, PNG, GIF, WebP or AVIF is refused with 415 and not sent to the media host",
        arguments: invalidFiles)
    @Loop func invalidFile(_ name: String, _ file: [UInt8]) async throws {
        try await MediaFixture.with { fixture async throws in
            let reply = try await fixture.upload(file, by: MediaFixture.owner())
            #expect(reply.status == 415, "\(name): \(reply.text)")
            #expect(reply.code == "unsupported-media-type")
            #expect(try await fixture.assets().isEmpty)
            #expect(try await fixture.unfinishedUploadCount() == 0)
        }
    }

    @Test("metadata is removed before the media host gets an image, or kept if the operator wants it")
    @Loop func metadata() async throws {
        for keepsMetadata in [false, true] {
            var options = MediaFixture.Options()
            options.keepsMetadata = keepsMetadata
            try await MediaFixture.with(options) { fixture async throws in
                for name in ["EXIF in JPEG", "EXIF in PNG", "EXIF in WebP", "XMP in AVIF", "a comment in GIF"] {
                    let file = try #require(SamplePicture.withMetadata.first { $0.name == name }?.file)
                    let media = try await fixture.picture(file, by: MediaFixture.owner())
                    let published = try await fixture.download(media.url).body
                    #expect(published.contains(SamplePicture.mark) == keepsMetadata, "\(name)")
                    #expect(media.bytes == published.count)
                    let isTurned = ["EXIF in JPEG", "EXIF in PNG"].contains(name)
                    #expect([media.width, media.height] == (isTurned ? [9, 16] : [16, 9]), "\(name)")
                }
            }
        }
    }

    @Test("bytes that are no part of an image are not published, and a missing end marker is added")
    @Loop func surplus() async throws {
        try await MediaFixture.with { fixture async throws in
            let page = Array("<script>alert(1)</script>".utf8)
            let files: [([UInt8], [UInt8])] = [
                (SamplePicture.png + page, SamplePicture.png), (SamplePicture.gif + [0x50, 0x4B], SamplePicture.gif),
                (SamplePicture.jpeg(with: [0, 0]), SamplePicture.jpeg), (SamplePicture.avif + page, SamplePicture.avif),
                (SamplePicture.lossyWebP + page, SamplePicture.lossyWebP),
                (Array(SamplePicture.jpeg.dropLast(2)), SamplePicture.jpeg),
                (Array(SamplePicture.png.dropLast(12)), SamplePicture.png),
                (Array(SamplePicture.gif.dropLast()), SamplePicture.gif),
            ]
            for (file, published) in files {
                let media = try await fixture.picture(file, by: MediaFixture.owner())
                #expect(try await fixture.download(media.url).body == published)
                #expect(media.bytes == published.count)
            }
        }
    }

    @Test("the refusal of a HEIC image says that it must be converted")
    @Loop func heic() async throws {
        try await MediaFixture.with { fixture async throws in
            let file = SamplePicture.avif(brand: "heic", brands: ["mif1", "heic"], type: "hvc1")
            let reply = try await fixture.upload(file, by: MediaFixture.owner())
            #expect(reply.status == 415)
            #expect(reply.text.contains("Convert the image to JPEG"))
        }
    }

    @Test("an image whose frames together have too many pixels is refused with 422, even if the file is small")
    @Loop func tooManyPixels() async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            let frames = [(UInt16, UInt16)](repeating: (1, 1), count: 60)
            let files = [
                SamplePicture.png(width: 100_000, height: 100_000), SamplePicture.jpeg(width: 65_535, height: 65_535),
                SamplePicture.gif(width: 1000, height: 1000, frames: frames),
                SamplePicture.gif(width: 1, height: 1, frames: [(60_000, 60_000)]),
                SamplePicture.webP(SamplePicture.webPImage(width: 16_384, height: 16_384)),
            ]
            for file in files {
                let reply = try await fixture.upload(file, by: owner)
                #expect(reply.status == 422, "\(reply.text)")
                #expect(reply.code == "invalid")
                #expect(reply.pointers == ["/file"])
            }
            #expect(try await fixture.assets().isEmpty)
        }
        var options = MediaFixture.Options()
        options.maximumPixels = 16 * 9
        try await MediaFixture.with(options) { fixture async throws in
            _ = try await fixture.picture(by: MediaFixture.owner())
            let larger = SamplePicture.jpeg(width: 145, height: 1)
            #expect(try await fixture.upload(larger, by: MediaFixture.owner()).status == 422)
        }
    }

    @Test("an image of almost 5 MiB is stored, and a file of 5 MiB and one byte is refused with 413")
    @Loop func large() async throws {
        try await MediaFixture.with { fixture async throws in
            let scan = Array(repeatElement([0xFF, 0x00] as [UInt8], count: (5 << 19) - 100).joined())
            let file = SamplePicture.jpeg(width: 640, height: 480, scan: scan)
            #expect(file.count <= Messages.Media.uploadLimit)
            let media = try await fixture.picture(file, by: MediaFixture.owner())
            #expect((media.width, media.height, media.bytes) == (640, 480, file.count))
            let tooLarge = [UInt8](repeating: 0xFF, count: Messages.Media.uploadLimit + 1)
            #expect(try await fixture.upload(tooLarge, by: MediaFixture.owner()).status == 413)
        }
    }

    @Test("an upload that is delivered four times concurrently stores one image and gets the same reply each time")
    @Loop func once() async throws {
        try await MediaFixture.with { fixture async throws in
            let (owner, id) = (MediaFixture.owner(), UUID.v7())
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<4 { group.addTask { try await fixture.upload(by: owner, id: id) } }
                var replies: [Reply] = []
                for try await reply in group { replies.append(reply) }
                return replies
            }
            #expect(replies.allSatisfy { $0.status == 201 })
            #expect(Set(replies.map(\.body)).count == 1)
            #expect(try await fixture.assets().count == 1)
            #expect(try await fixture.database.count("SELECT count(*) FROM media") == 1)
            #expect(try await fixture.eventSubjects("media.uploaded").count == 1)
            #expect(try await fixture.unfinishedUploadCount() == 0)
        }
    }

    @Test("an upload with a message id that another account used overwrites no image")
    @Loop func foreignID() async throws {
        try await MediaFixture.with { fixture async throws in
            let (owner, other, id) = (MediaFixture.owner(), MediaFixture.owner("other"), UUID.v7())
            let first = try await fixture.upload(SamplePicture.png, by: owner, id: id)
            let url = try Media.schema.decode(JSON.parse(first.body)).url
            let second = try await fixture.upload(SamplePicture.gif, by: other, id: id)
            #expect((second.status, second.code) == (422, "idempotency-key-reused"))
            #expect(try await fixture.download(url).body == SamplePicture.png)
            // If the first upload did not finish, the upload of the other account is stored. It overwrites nothing,
            // because the id of its media is derived from its account, too.
            let third = UUID.v7()
            try await fixture.injectFaults(["status": 503, "path": "upload"])
            await #expect(throws: (any Error).self) { try await fixture.upload(by: owner, id: third) }
            try await fixture.endFaults()
            let theirs = try await fixture.upload(SamplePicture.gif, by: other, id: third)
            #expect(theirs.status == 201)
            #expect(try await fixture.database.count("SELECT count(DISTINCT owner_id) FROM media") == 2)
            let begun = "SELECT count(*) FROM upload WHERE owner_id = '\(owner.id.text)'"
            #expect(try await fixture.database.count(begun) == 1)
        }
    }

    @Test("after an upload's inbox row was deleted, it is refused, and that of another file is not")
    @Loop func forgotten() async throws {
        try await MediaFixture.with { fixture async throws in
            let (owner, id) = (MediaFixture.owner(), UUID.v7())
            let first = try await fixture.upload(SamplePicture.png, by: owner, id: id)
            let media = try Media.schema.decode(JSON.parse(first.body))
            _ = try await fixture.pool.query(Statement("DELETE FROM inbox"))
            let same = try await fixture.upload(SamplePicture.png, by: owner, id: id)
            #expect((same.status, same.code) == (422, "idempotency-key-reused"))
            let other = try await fixture.upload(SamplePicture.gif, by: owner, id: id)
            #expect(try Media.schema.decode(JSON.parse(other.body)).id != media.id)
            #expect(try await fixture.download(media.url).body == SamplePicture.png)
        }
    }

    @Test("an upload that is redelivered after its media was deleted does not store the image again")
    @Loop func afterDeletion() async throws {
        try await MediaFixture.with { fixture async throws in
            let (owner, id) = (MediaFixture.owner(), UUID.v7())
            let first = try await fixture.upload(by: owner, id: id)
            let media = try Media.schema.decode(JSON.parse(first.body))
            #expect(try await fixture.delete(media.id, by: owner).status == 204)
            #expect(try await fixture.upload(by: owner, id: id).body == first.body)
            #expect(try await fixture.assets().isEmpty)
            #expect(try await fixture.database.count("SELECT count(*) FROM media") == 0)
        }
    }
}
