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
            for file in [page, drawing, Array("https://example.org/cat.png".utf8), SamplePicture.png + page] {
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

        @Test("an upload form gets 400 unless its only part is one file, and a body that is not a form gets 415")
        @Loop func forms() async throws {
            let client = try await APIClient.registered()
            let file = HTTPRequest.Part(
                name: "file", fileName: "../../cat.png", contentType: "image/png", bytes: SamplePicture.png)
            let field = HTTPRequest.Part(name: "ownerId", value: "someone")
            for parts in [[field], [file, file], [file, field], [field, file]] {
                try await client.send("POST", "/v1/media", body: .multipart(parts))
                    .expectProblem(400, "malformed-request")
            }
            try await client.send("POST", "/v1/media", json: ["file": "x"])
                .expectProblem(415, "unsupported-media-type")
            try await client.send("POST", "/v1/media", body: .multipart([file])).expect(201)
        }
    }
}
