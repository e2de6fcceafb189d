import Contracts
import Curl
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("An upload over HTTP") struct Uploads {
        @Test(
            "of what is no picture is 415, whatever it is called; of too large a picture 422; of too large a file 413"
        )
        @Loop func noPictures() async throws {
            let anyone = try Client()
            let client = try await anyone.by(Person.register(anyone))
            let before = try await MediaHost().assets()
            let page = Array("<!doctype html><script>alert(1)</script>".utf8)
            let drawing = Array("<svg xmlns=\"http://www.w3.org/2000/svg\"/>".utf8)
            for file in [page, drawing, Array("https://example.org/cat.png".utf8), SamplePicture.png + page] {
                try await client.upload(file).expectProblem(415, "unsupported-media-type")
            }
            let flood = try await client.upload(SamplePicture.png(width: 100_000, height: 100_000))
            let problem = try flood.expectProblem(422, "invalid")
            #expect(problem["errors"]?.array?.first?["pointer"]?.string == "/file")
            let large = [UInt8](repeating: 0xFF, count: Messages.Media.uploadLimit + 1)
            try await client.upload(large).expectProblem(413, "body-too-large")
            #expect(try await client.get("/v1/media").expect(200)["totalMedia"]?.integer == 0)
            #expect(try await MediaHost().assets() == before)
        }

        @Test("of each kind is 201, and the picture is delivered as it was sent")
        @Loop func kinds() async throws {
            let anyone = try Client()
            let client = try await anyone.by(Person.register(anyone))
            for (file, type) in SamplePicture.all {
                let media = try await client.upload(file).expect(201)
                #expect(media["contentType"]?.string == type)
                #expect(media["width"]?.integer == 16 && media["height"]?.integer == 9)
                #expect(try await MediaHost().delivery(media.text("url")).bytes == file)
                try await client.delete("/v1/media/\(media.text("id"))").expect(204)
            }
        }

        @Test("with another form than one file is 400, and what is no form 415")
        @Loop func forms() async throws {
            let anyone = try Client()
            let client = try await anyone.by(Person.register(anyone))
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
