import Foundation
import TestSupport
import Testing

@Suite("Faults on demand")
struct FaultTests {
    @Test("a fault with a status and a count makes that many uploads get the status and stores no file")
    func status() async throws {
        try await LocalCloudinary.run { server async throws in
            for status in [423, 500, 503] {
                _ = try await server.setFaults(#"{"status": \#(status), "count": 2, "path": "upload"}"#)
                for _ in 0..<2 {
                    let reply = try await server.upload(SamplePicture.png, ["public_id": "a"])
                    #expect(reply.status == status)
                    #expect(reply.message?.isEmpty == false)
                }
                #expect(try await server.assets() == [])
                #expect(try await server.upload(SamplePicture.png, ["public_id": "a"]).status == 200)
                #expect(try await server.destroy(["public_id": "a"]).status == 200)
            }
        }
    }

    @Test("a delayed upload gets no response before the delay ends, and the next upload is stored")
    func delay() async throws {
        try await LocalCloudinary.run { server async throws in
            _ = try await server.setFaults(#"{"delayMilliseconds": 3000, "count": 1}"#)
            let delayed = try await server.upload(SamplePicture.png, ["public_id": "a"], limit: 1)
            #expect(delayed.exit == 28)
            let next = try await server.upload(SamplePicture.gif, ["public_id": "b"])
            #expect(next.status == 200)
        }
    }

    @Test("if cloudinary-local is stopped, a delayed request gets its response at once")
    func stop() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let server = try await LocalCloudinary(in: folder)
        _ = try await server.setFaults(#"{"delayMilliseconds": 600000, "status": 503}"#)
        let url = server.url("/demo/image/upload/a")
        async let delayed = CurlExchange([url])
        #expect(try await eventually { server.log.contains(#""message":"a fault rule matches the request""#) })
        #expect(try await server.stop() == 0)
        #expect(try await delayed.status == 503)
    }

    @Test("a fault with cut breaks the connection and stores no file")
    func cut() async throws {
        try await LocalCloudinary.run { server async throws in
            _ = try await server.setFaults(#"{"cut": true, "path": "upload", "count": 1}"#)
            #expect(try await server.upload(SamplePicture.png, ["public_id": "a"]).exit == 18)
            #expect(try await server.assets() == [])
        }
    }

    @Test("a fault with cut and after stores the file and breaks the connection")
    func cutAfter() async throws {
        try await LocalCloudinary.run { server async throws in
            _ = try await server.setFaults(#"{"cut": true, "after": true, "path": "upload", "count": 1}"#)
            #expect(try await server.upload(SamplePicture.png, ["public_id": "a"]).exit == 18)
            #expect(try await server.assets() == ["a"])
            let again = try await server.upload(SamplePicture.png, ["public_id": "a"])
            #expect(again.json["overwritten"] as? Bool == true)
            #expect(try await server.assets() == ["a"])
        }
    }

    @Test("faults apply to matching requests only, in their order, until their count is reached or they are deleted")
    func matching() async throws {
        try await LocalCloudinary.run { server async throws in
            _ = try await server.upload(SamplePicture.png, ["public_id": "a"])
            let response = try await server.setFaults(
                #"[{"status": 500, "count": 1, "path": "delivery"}, {"status": 502, "path": "delivery"}, "#
                    + #"{"status": 503, "path": "destroy", "after": true}]"#)
            #expect(response.status == 200)
            #expect(try await server.upload(SamplePicture.png, ["public_id": "b"]).status == 200)
            for status in [500, 502, 502] {
                #expect(try await server.get("/demo/image/upload/a").status == status)
            }
            #expect((try await server.get("/faults").json["faults"] as? [Any])?.count == 2)
            #expect(try await server.destroy(["public_id": "b"]).status == 503)
            #expect(try await server.assets() == ["a"])
            #expect((try await server.get("/faults", "-X", "DELETE").json["faults"] as? [Any])?.isEmpty == true)
            #expect(try await server.get("/demo/image/upload/a").status == 200)
        }
    }

    @Test("a fault that is malformed, has no effect or has a value out of range gets 400")
    func refused() async throws {
        try await LocalCloudinary.run { server async throws in
            let documents = [
                "", "x", "{}", #"{"cut": false}"#, #"{"status": 200}"#, #"{"status": 503, "count": 0}"#,
                #"{"delayMilliseconds": -1}"#, #"{"stauts": 503}"#, #"{"status": 503, "path": "all"}"#,
                #"[{"status": 503}, {}]"#,
            ]
            for document in documents {
                #expect(try await server.setFaults(document).status == 400, "\(document)")
            }
            #expect(try await server.get("/assets").status == 200)
        }
    }
}
