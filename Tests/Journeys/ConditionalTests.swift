import Contracts
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Conditional requests") struct ConditionalRequests {
        @Test(
            "a GET or HEAD of a post gets 304 without a body if If-None-Match has its ETag or *, otherwise 200 or 404"
        )
        @Loop func notModified() async throws {
            let author = try await APIClient.registered()
            let path = try "/v1/posts/\(await author.createPost("cached before").expect(201).text("id"))"
            let first = try await author.get(path)
            try first.expect(200)
            let tag = try #require(first.header("ETag"))
            #expect(first.header("Cache-Control") == "private, no-cache")
            for known in [tag, "W/\(tag.replacing("W/", with: ""))", "\"other\", \(tag)", "*"] {
                for method in ["GET", "HEAD"] {
                    let response = try await author.send(method, path, headers: [(name: "If-None-Match", value: known)])
                    #expect(response.status == 304, "\(method) \(known)")
                    #expect(response.bytes.isEmpty)
                    #expect(response.header("ETag") == tag)
                    #expect(response.header("Cache-Control") == "private, no-cache")
                    #expect(response.header("Content-Type") == nil)
                }
            }
            for other in ["\"other\"", tag.dropLast() + "x\"", "garbage"] {
                let response = try await author.send(
                    "GET", path, headers: [(name: "If-None-Match", value: String(other))])
                #expect(try response.expect(200) == first.json)
            }
            try await author.delete(path).expect(204)
            try await author.send("GET", path, headers: [(name: "If-None-Match", value: "*")])
                .expectProblem(404, "post-not-found")
        }
    }
}
