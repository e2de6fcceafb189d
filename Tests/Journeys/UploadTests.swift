import Contracts
import Curl
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Uploads") struct Uploads {
        @Test("an upload that is not a picture gets 415, one with too many pixels 422, one with too many bytes 413")
        @Loop func noPictures() async throws {
            let client = try await APIClient.registered()
            let before = try await MediaHostClient().assets()
            let page = Array("<!doctype html><script>alert(1)</script>".utf8)
            let drawing = Array("<svg xmlns=\"http://www.w3.org/2000/svg\"/>".utf8)
            for file in [page, drawing, Array("https://example.org/cat.png".utf8), SamplePicture.pngSignature + page] {
                try await client.upload(file).expectProblem(415, "unsupported-media-type")
            }
            let huge = try await client.upload(SamplePicture.png(width: 100_000, height: 100_000))
            let problem = try huge.expectProblem(422, "invalid")
            #expect(problem["errors"]?.array?.first?["pointer"]?.string == "/file")
            let large = [UInt8](repeating: 0xFF, count: Messages.Media.uploadLimit + 1)
            try await client.upload(large).expectProblem(413, "body-too-large")
            #expect(try await client.get("/v1/media").expect(200)["totalMedia"]?.integer == 0)
            #expect(try await MediaHostClient().assets() == before)
        }

        @Test("an upload of each format gets 201, and the picture is delivered unchanged")
        @Loop func kinds() async throws {
            let client = try await APIClient.registered()
            for (file, type) in SamplePicture.all {
                let media = try await client.upload(file).expect(201)
                #expect(media["contentType"]?.string == type)
                #expect(media["width"]?.integer == 16 && media["height"]?.integer == 9)
                #expect(try await MediaHostClient().delivery(media.text("url")).bytes == file)
                try await client.delete("/v1/media/\(media.text("id"))").expect(204)
            }
        }

        @Test("a photo is published in the size that a browser shows, without the place where it was taken")
        @Loop func metadata() async throws {
            let client = try await APIClient.registered()
            let photo = SamplePicture.jpeg(with: [0, 0] + SamplePicture.jpegEXIF(SamplePicture.tiff(6)))
            let media = try await client.upload(photo + SamplePicture.mark).expect(201)
            #expect(media["width"]?.integer == 9 && media["height"]?.integer == 16)
            let published = try await MediaHostClient().delivery(media.text("url")).bytes
            #expect(!published.contains(SamplePicture.mark))
            #expect(media["bytes"]?.integer == Int64(published.count))
        }

        @Test("the description of a picture is shown with the picture and in posts, and can be changed")
        @Loop func description() async throws {
            let client = try await APIClient.registered()
            let parts = [
                HTTPRequest.Part(name: "description", value: "A rabbit"),
                HTTPRequest.Part(name: "file", fileName: "a.png", contentType: "image/png", bytes: SamplePicture.png),
            ]
            let media = try await client.send("POST", "/v1/media", body: .multipart(parts)).expect(201)
            #expect(media["description"] == "A rabbit")
            let path = "/v1/media/\(try media.text("id"))"
            let post = try await client.send(
                "POST", "/v1/posts", json: ["content": "Look", "mediaIds": [.string(media.text("id"))]]
            ).expect(201)
            let changed = try await client.send("PATCH", path, json: ["description": "A hare"]).expect(200)
            #expect(changed["description"] == "A hare")
            #expect(try await client.get(path).expect(200)["description"] == "A hare")
            let isShown = try await eventually {
                let shown = try await client.get("/v1/posts/\(post.text("id"))").expect(200)
                return shown["media"]?.array?.first?["description"] == "A hare"
            }
            #expect(isShown)
            try await client.send("PATCH", path, json: ["id": "x", "description": "y"])
                .expectProblem(400, "malformed-json")
            try await APIClient.registered().send("PATCH", path, json: ["description": "y"])
                .expectProblem(404, "media-not-found")
        }

        @Test("an upload form gets 400 unless it has exactly one file, and a body that is not a form gets 415")
        @Loop func forms() async throws {
            let client = try await APIClient.registered()
            let file = HTTPRequest.Part(
                name: "file", fileName: "../../cat.png", contentType: "image/png", bytes: SamplePicture.png)
            let field = HTTPRequest.Part(name: "ownerId", value: "someone")
            for parts in [[field], [file, file], [file, file, field]] {
                try await client.send("POST", "/v1/media", body: .multipart(parts))
                    .expectProblem(400, "malformed-request")
            }
            try await client.send("POST", "/v1/media", json: ["file": "x"])
                .expectProblem(415, "unsupported-media-type")
            for parts in [[file], [file, field], [field, file]] {
                try await client.send("POST", "/v1/media", body: .multipart(parts)).expect(201)
            }
        }
    }
}
