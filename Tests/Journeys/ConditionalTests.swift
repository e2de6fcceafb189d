import Contracts
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("A post that a client has already") struct Conditional {
        @Test("it is 304 without a body, by its ETag, however the client writes it")
        @Loop func notModified() async throws {
            let nobody = try Client()
            let author = nobody.by(try await Person.register(nobody))
            let path = try "/v1/posts/\(await author.write("seen before").expect(201).text("id"))"
            let first = try await author.get(path)
            try first.expect(200)
            let tag = try #require(first.header("ETag"))
            #expect(first.header("Cache-Control") == "private, no-cache")
            for known in [tag, "W/\(tag.replacing("W/", with: ""))", "\"other\", \(tag)", "*"] {
                for method in ["GET", "HEAD"] {
                    let answer = try await author.send(method, path, headers: [(name: "If-None-Match", value: known)])
                    #expect(answer.status == 304, "\(method) \(known)")
                    #expect(answer.bytes.isEmpty)
                    #expect(answer.header("ETag") == tag)
                    #expect(answer.header("Cache-Control") == "private, no-cache")
                    #expect(answer.header("Content-Type") == nil)
                }
            }
            for other in ["\"other\"", tag.dropLast() + "x\"", "garbage"] {
                let answer = try await author.send(
                    "GET", path, headers: [(name: "If-None-Match", value: String(other))])
                #expect(try answer.expect(200) == first.json)
            }
            try await author.delete(path).expect(204)
            try await author.send("GET", path, headers: [(name: "If-None-Match", value: "*")])
                .expectProblem(404, "post-not-found")
        }
    }
}
