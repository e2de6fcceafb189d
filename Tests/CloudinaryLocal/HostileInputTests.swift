import Foundation
import TestSupport
import Testing

@Suite("Hostile input")
struct HostileInputTests {
    @Test("an upload with an invalid public id gets 400 and creates no file")
    func publicIDs() async throws {
        try await LocalCloudinary.run { server async throws in
            let ids = [
                "..", ".", "../a", "a/../b", "a/..", "./a", "a//b", "/../a", "../../../../etc/passwd", "a\\b", "a?b",
                "a#b", "a%2Fb", "%2e%2e/a", "a<b", "a&b", "a+b", "a\nb", "a\u{1}b", "a\u{7F}b", "a\u{2028}b", "v1/a",
                " ", "/", String(repeating: "a", count: 256), String(repeating: "é", count: 100),
            ]
            for id in ids {
                let reply = try await server.upload(SamplePicture.png, ["public_id": id])
                #expect(reply.status == 400, "\(id)")
                #expect(try await server.destroy(["public_id": id]).status == 400, "\(id)")
            }
            #expect(try await server.assets() == [])
            let files = try FileManager.default.subpathsOfDirectory(atPath: server.folder.path)
            #expect(Set(files) == ["images", "images/assets", "images/temporary", "log", "secret"])
        }
    }

    @Test("a file with an unusual but valid public id is delivered unchanged")
    func unusualPublicIDs() async throws {
        try await LocalCloudinary.run { server async throws in
            let ids = [
                "a.b", "a.png", "été/a b", "...", "-rf", "a'\"b", "v1", "日本", String(repeating: "a", count: 255),
            ]
            for id in ids {
                let reply = try await server.upload(SamplePicture.png, ["public_id": id])
                #expect(reply.status == 200, "\(id)")
                let url = try #require(reply.json["url"] as? String)
                #expect(try await CurlExchange([url]).body == SamplePicture.png, "\(id)")
            }
            #expect(Set(try await server.assets()) == Set(ids))
        }
    }

    @Test("cloudinary-local responds with 404 to an unknown path, 400 to a malformed path, 405 to a wrong method")
    func paths() async throws {
        try await LocalCloudinary.run { server async throws in
            let paths = [
                "/demo/image/upload/../../../../secret", "/demo/image/upload/%2e%2e/%2e%2e/secret",
                "/demo/image/upload/..%2F..%2Fsecret", "/demo/image/upload/%00", "/demo/image/upload/",
                "/demo/image/upload",
                "/demo/raw/upload/a", "/", "/v1_1/demo/image", "/v1_1/demo/image/explicit", "/v1_1/demo/video/upload",
                "/demo/image/upload/v1", "//", "/faults/x",
            ]
            for path in paths {
                #expect(try await server.get(path).status == 404, "\(path)")
            }
            for path in ["/%", "/demo/image/upload/%zz", "/demo/image/upload/%ff"] {
                #expect(try await server.get(path).status == 400, "\(path)")
            }
            #expect(try await server.get("/v1_1/demo/image/upload").status == 405)
            #expect(try await server.get("/demo/image/upload/a", "-X", "PUT").status == 405)
        }
    }

    @Test("an upload with a malformed body gets 400, and the next upload is stored")
    func bodies() async throws {
        try await LocalCloudinary.run { server async throws in
            let url = server.url("/v1_1/demo/image/upload")
            let multipart = "Content-Type: multipart/form-data; boundary=b"
            let part = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n"
            let longValue = String(repeating: "x", count: 300_000)
            let bodies = [
                ("Content-Type: application/json", "{}"), (multipart, ""), (multipart, "--b"), (multipart, part),
                (multipart, "\(part)\(part)--b--"), ("Content-Type: multipart/form-data", "\(part)--b--"),
                ("Content-Type: application/x-www-form-urlencoded", "a=%zz"),
                ("Content-Type: application/x-www-form-urlencoded", "a=1&a=2"),
                (
                    multipart,
                    "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\(longValue)\r\n--b--"
                ),
            ]
            for (header, body) in bodies {
                let path = server.folder.path("body")
                try Data(body.utf8).write(to: URL(filePath: path))
                let reply = try await CurlExchange(["-H", header, "--data-binary", "@\(path)", url])
                #expect(reply.status == 400, "\(header) \(body.prefix(80))")
                #expect(reply.message?.isEmpty == false)
            }
            #expect(try await server.upload(SamplePicture.png, ["public_id": "a"]).status == 200)
        }
    }
}
