import Foundation
import TestSupport
import Testing

@Suite("Uploads to cloudinary-local")
struct UploadTests {
    /// Files of each kind, each with its format and its media type.
    static let images: [([UInt8], String, String)] = [
        (SamplePicture.png, "png", "image/png"), (SamplePicture.gif, "gif", "image/gif"),
        (SamplePicture.jpeg, "jpg", "image/jpeg"),
        (SamplePicture.progressiveJPEG, "jpg", "image/jpeg"), (SamplePicture.lossyWebP, "webp", "image/webp"),
        (SamplePicture.losslessWebP, "webp", "image/webp"), (SamplePicture.extendedWebP, "webp", "image/webp"),
        (SamplePicture.avif, "avif", "image/avif"), (SamplePicture.animatedAVIF, "avif", "image/avif"),
    ]

    @Test("an upload's response describes the image, which is delivered unchanged and is not found after destroy")
    func formats() async throws {
        try await LocalCloudinary.run { server async throws in
            for (image, format, contentType) in Self.images {
                let reply = try await server.upload(image, ["public_id": "folder/a"], name: "some cat.bin")
                #expect(reply.status == 200)
                let json = reply.json
                let version = try #require(json["version"] as? Int)
                #expect(abs(version - Int(Date.now.timeIntervalSince1970)) < 60)
                #expect(json["public_id"] as? String == "folder/a")
                #expect(json["format"] as? String == format)
                #expect(json["width"] as? Int == 16)
                #expect(json["height"] as? Int == 9)
                #expect(json["bytes"] as? Int == image.count)
                #expect(json["resource_type"] as? String == "image")
                #expect(json["type"] as? String == "upload")
                #expect(json["original_filename"] as? String == "some cat")
                #expect((json["asset_id"] as? String)?.count == 32)
                #expect((json["etag"] as? String)?.count == 32)
                #expect(
                    json["signature"] as? String
                        == LocalCloudinary.sha1("public_id=folder/a&version=\(version)\(LocalCloudinary.secret)"))
                let url = server.url("/demo/image/upload/v\(version)/folder/a.\(format)")
                #expect(json["url"] as? String == url)
                #expect(json["secure_url"] as? String == url)
                for path in ["v\(version)/folder/a.\(format)", "folder/a.\(format)", "folder/a", "v1/folder/a"] {
                    let delivered = try await server.get("/demo/image/upload/\(path)")
                    #expect(delivered.status == 200)
                    #expect(delivered.body == image)
                    #expect(delivered.headers.lowercased().contains("content-type: \(contentType)\r\n"))
                }
                let head = try await server.get("/demo/image/upload/folder/a", "--head")
                #expect(head.status == 200)
                #expect(head.headers.lowercased().contains("content-length: \(image.count)\r\n"))
            }
            #expect(try await server.get("/demo/image/upload/folder/a.png").status == 404)
            #expect(try await server.get("/other/image/upload/folder/a").status == 404)
            let destroyed = try await server.destroy(["public_id": "folder/a"])
            #expect(destroyed.status == 200)
            #expect(destroyed.json as? [String: String] == ["result": "ok"])
            let again = try await server.destroy(["public_id": "folder/a"])
            #expect(again.status == 200)
            #expect(again.json as? [String: String] == ["result": "not found"])
            #expect(try await server.get("/demo/image/upload/folder/a").status == 404)
        }
    }

    @Test("with --origin, the URLs in the responses of cloudinary-local begin with that address")
    func otherOrigin() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let server = try await LocalCloudinary(in: folder, "--origin", "http://pictures.example:8000")
        let reply = try await server.upload(SamplePicture.png, ["public_id": "a"], name: "a.png")
        let version = try #require(reply.json["version"] as? Int)
        #expect(
            reply.json["secure_url"] as? String == "http://pictures.example:8000/demo/image/upload/v\(version)/a.png")
        #expect(try await server.stop() == 0)
    }

    @Test("an upload with an existing public id replaces the asset, unless overwrite is false")
    func redelivered() async throws {
        try await LocalCloudinary.run { server async throws in
            let first = try await server.upload(SamplePicture.png, ["public_id": "a"])
            let second = try await server.upload(SamplePicture.gif, ["public_id": "a"])
            #expect(first.json["overwritten"] == nil)
            #expect(second.json["overwritten"] as? Bool == true)
            #expect(first.json["asset_id"] as? String == second.json["asset_id"] as? String)
            #expect(try await server.assets() == ["a"])
            #expect(try await server.get("/demo/image/upload/a").body == SamplePicture.gif)
            let kept = try await server.upload(SamplePicture.png, ["public_id": "a", "overwrite": "false"])
            #expect(kept.json["existing"] as? Bool == true)
            #expect(kept.json["format"] as? String == "gif")
            #expect(try await server.get("/demo/image/upload/a").body == SamplePicture.gif)
        }
    }

    @Test("an upload without a public id gets a random public id")
    func unnamed() async throws {
        try await LocalCloudinary.run { server async throws in
            let id = try #require(try await server.upload(SamplePicture.png, [:]).json["public_id"] as? String)
            #expect(id.count == 20)
            #expect(try await server.assets() == [id])
        }
    }

    @Test("an upload of a text, of a file that is not an image, or of a truncated image gets 400")
    func noImage() async throws {
        try await LocalCloudinary.run { server async throws in
            let pngWithoutPixels =
                SamplePicture.png[..<16] + [UInt8](repeating: 0, count: 8) + SamplePicture.png[24...]
            let others: [[UInt8]] = [
                [], Array("http://127.0.0.1/cat.png".utf8), Array("<svg></svg>".utf8), Array("%PDF-1.4".utf8),
            ]
            // These files end before the part that contains the size of the image.
            let truncated = [
                SamplePicture.png.prefix(20), SamplePicture.gif.prefix(9), SamplePicture.jpeg.prefix(90),
                SamplePicture.lossyWebP.prefix(28),
            ]
            for file in others + [Array(pngWithoutPixels)] + truncated.map(Array.init) {
                let reply = try await server.upload(file, ["public_id": "a"])
                #expect(reply.status == 400)
                #expect(reply.message == "Invalid image file")
            }
            for text in ["http://127.0.0.1:1/cat.png", "data:image/png;base64,AAAA", "s3://bucket/cat.png"] {
                let parameters = LocalCloudinary.signed(["public_id": "a"]).merging(["file": text]) { $1 }
                let reply = try await server.upload(nil, parameters, asIs: true)
                #expect(reply.status == 400)
                #expect(reply.message?.hasPrefix("Unsupported source") == true)
            }
            let none = try await server.upload(nil, ["public_id": "a"])
            #expect(none.status == 400)
            #expect(none.message == "Missing required parameter - file")
            #expect(try await server.assets() == [])
        }
    }

    @Test("a file of 10 MiB is stored, and a file of 10 MiB and one byte gets 400")
    func large() async throws {
        try await LocalCloudinary.run { server async throws in
            // The file without its image data has 57 bytes.
            let largest = SamplePicture.png(width: 16, height: 9, data: (10 << 20) - 57)
            let stored = try await server.upload(largest, ["public_id": "a"])
            #expect(stored.status == 200)
            // Before a large body, curl sends Expect: 100-continue and waits up to a second for the response.
            #expect(stored.headers.contains("100 Continue"))
            #expect(try await server.get("/demo/image/upload/a").body == largest)
            let reply = try await server.upload(largest + [0], ["public_id": "b"])
            #expect(reply.status == 400)
            #expect(reply.message == "File size too large. Got 10485761. Maximum is 10485760.")
            #expect(try await server.assets() == ["a"])
        }
    }

    @Test("the files of cloudinary-local still exist after SIGTERM and after SIGKILL")
    func restart() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        var server = try await LocalCloudinary(in: folder)
        let reply = try await server.upload(SamplePicture.png, ["public_id": "a"])
        #expect(try await server.stop() == 0)
        #expect(server.log.split(separator: "\n").allSatisfy { $0.first == "{" && $0.last == "}" })
        server = try await LocalCloudinary(in: folder, port: server.port)
        #expect(try await server.upload(SamplePicture.gif, ["public_id": "b"]).status == 200)
        try await server.crash()
        server = try await LocalCloudinary(in: folder, port: server.port)
        #expect(try await server.assets() == ["a", "b"])
        let url = try #require(reply.json["url"] as? String)
        #expect(try await CurlExchange([url]).body == SamplePicture.png)
        #expect(try await server.stop() == 0)
    }
}
