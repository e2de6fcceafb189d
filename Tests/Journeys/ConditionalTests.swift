import Contracts
import Foundation
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

        @Test("a DELETE with an If-Match of another version gets 412 and deletes nothing, of this version 204")
        @Loop func ifMatch() async throws {
            let author = try await APIClient.registered()
            let picture = try await author.upload(RandomPNG.make()).expect(201).text("id")
            for path in [
                try "/v1/posts/\(await author.createPost("conditional").expect(201).text("id"))",
                "/v1/media/\(picture)",
            ] {
                let tag = try #require(try await author.get(path).header("ETag"))
                func delete(_ tag: String, key: String? = nil) async throws -> APIResponse {
                    var headers = [(name: "If-Match", value: tag)]
                    if let key { headers.append((name: "Idempotency-Key", value: key)) }
                    return try await author.send("DELETE", path, headers: headers)
                }
                try await delete("\"other\"").expectProblem(412, "precondition-failed")
                try await delete("W/\(tag)").expectProblem(412, "precondition-failed")
                try await delete("other").expectProblem(400, "malformed-request")
                func deleteUnless(_ tag: String) async throws -> APIResponse {
                    try await author.send("DELETE", path, headers: [(name: "If-None-Match", value: tag)])
                }
                try await deleteUnless("*").expectProblem(412, "precondition-failed")
                try await deleteUnless(tag).expectProblem(400, "unsupported-condition")
                try await author.get(path).expect(200)
                let key = UUID().uuidString
                try await delete(tag, key: key).expect(204)
                try await delete(tag, key: key).expect(204)
                try await delete("*").expect(404)
                try await deleteUnless("*").expect(404)
            }
        }

        @Test("a POST with a tag in If-Match, or with If-None-Match: *, gets 412 and creates no post")
        @Loop func create() async throws {
            let author = try await APIClient.registered()
            let content = "conditional \(UUID())"
            for (name, value) in [("If-Match", "\"other\""), ("If-None-Match", "*")] {
                try await author.send(
                    "POST", "/v1/posts", json: ["content": .string(content)], headers: [(name: name, value: value)]
                ).expectProblem(412, "precondition-failed")
            }
            try await author.send(
                "POST", "/v1/posts", json: ["content": .string(content)], headers: [(name: "If-Match", value: "*")]
            ).expect(201)
            let posts = try await author.get("/v1/posts?limit=100").expect(200)["posts"]?.array ?? []
            #expect(posts.count { $0["content"]?.string == content } == 1)
        }

        @Test("a PATCH with an If-Match of another version gets 412, of this version 200 and a new ETag")
        @Loop func patch() async throws {
            let author = try await APIClient.registered()
            let path = try "/v1/media/\(await author.upload(RandomPNG.make()).expect(201).text("id"))"
            let tag = try #require(try await author.get(path).header("ETag"))
            func patch(_ body: JSON, ifMatch tag: String) async throws -> APIResponse {
                try await author.send("PATCH", path, json: body, headers: [(name: "If-Match", value: tag)])
            }
            try await patch(["description": "a hare"], ifMatch: "\"other\"")
                .expectProblem(412, "precondition-failed")
            #expect(try await author.get(path).header("ETag") == tag)
            let member: JSON = ["description": "a hare", "ifMatch": []]
            try await patch(member, ifMatch: tag).expectProblem(400, "malformed-json")
            let changed = try await patch(["description": "a rabbit"], ifMatch: tag)
            #expect(try changed.expect(200)["description"] == "a rabbit")
            let read = try await author.get(path)
            #expect(read.header("ETag") == changed.header("ETag") && read.header("ETag") != tag)
            try await patch(["description": "a hare"], ifMatch: tag).expectProblem(412, "precondition-failed")
        }

        @Test("a compressed post has its own ETag, which gets 304 and deletes the post")
        @Loop func compressed() async throws {
            let author = try await APIClient.registered()
            let content = String(repeating: "burrow ", count: 500)
            let path = try "/v1/posts/\(await author.createPost(content).expect(201).text("id"))"
            let gzip = [(name: "Accept-Encoding", value: "gzip")]
            let small = try await author.send("GET", path, headers: gzip)
            #expect(small.header("Content-Encoding") == "gzip")
            #expect(small.header("Vary") == "Accept-Encoding")
            #expect(small.bytes.count < 400)
            let tag = try #require(small.header("ETag"))
            let plain = try await author.get(path)
            #expect(plain.header("ETag") != tag)
            #expect(try plain.json["content"]?.string == content)
            let known = try await author.send(
                "GET", path, headers: gzip + [(name: "If-None-Match", value: tag)])
            #expect(known.status == 304)
            #expect(known.header("ETag") == tag)
            try await author.send("DELETE", path, headers: [(name: "If-Match", value: tag)]).expect(204)
        }
    }
}
