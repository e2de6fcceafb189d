import Foundation
import TestSupport
import Testing

@Suite("A fault on demand")
struct FaultTests {
    @Test("answers with its status, as often as it was ordered, and stores nothing")
    func status() async throws {
        try await LocalCloudinary.run { server async throws in
            for status in [423, 500, 503] {
                _ = try await server.order(#"{"status": \#(status), "count": 2, "path": "upload"}"#)
                for _ in 0..<2 {
                    let reply = try await server.upload(Images.png, ["public_id": "a"])
                    #expect(reply.status == status)
                    #expect(reply.message?.isEmpty == false)
                }
                #expect(try await server.assets() == [])
                #expect(try await server.upload(Images.png, ["public_id": "a"]).status == 200)
                #expect(try await server.destroy(["public_id": "a"]).status == 200)
            }
        }
    }

    @Test("stalls a request, which is carried out all the same")
    func delay() async throws {
        try await LocalCloudinary.run { server async throws in
            _ = try await server.order(#"{"delayMilliseconds": 3000, "count": 1}"#)
            let stalled = try await server.upload(Images.png, ["public_id": "a"], limit: 1)
            #expect(stalled.exit == 28)
            let next = try await server.upload(Images.gif, ["public_id": "b"])
            #expect(next.status == 200)
        }
    }

    @Test("ends a stall when the server is stopped")
    func stop() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let server = try await LocalCloudinary(in: scratch)
        _ = try await server.order(#"{"delayMilliseconds": 600000, "status": 503}"#)
        let url = server.url("/demo/image/upload/a")
        async let stalled = Curl([url])
        #expect(try await eventually { server.log.contains(#""message":"fault""#) })
        #expect(try await server.stop() == 0)
        #expect(try await stalled.status == 503)
    }

    @Test("cuts the reply in the middle, with nothing stored")
    func cut() async throws {
        try await LocalCloudinary.run { server async throws in
            _ = try await server.order(#"{"cut": true, "path": "upload", "count": 1}"#)
            #expect(try await server.upload(Images.png, ["public_id": "a"]).exit == 18)
            #expect(try await server.assets() == [])
        }
    }

    @Test("cuts the reply after the file was stored, so that the next upload finds it there")
    func cutAfter() async throws {
        try await LocalCloudinary.run { server async throws in
            _ = try await server.order(#"{"cut": true, "after": true, "path": "upload", "count": 1}"#)
            #expect(try await server.upload(Images.png, ["public_id": "a"]).exit == 18)
            #expect(try await server.assets() == ["a"])
            let again = try await server.upload(Images.png, ["public_id": "a"])
            #expect(again.json["overwritten"] as? Bool == true)
            #expect(try await server.assets() == ["a"])
        }
    }

    @Test("strikes only the requests it was ordered for, in their order, until it is deleted")
    func matching() async throws {
        try await LocalCloudinary.run { server async throws in
            _ = try await server.upload(Images.png, ["public_id": "a"])
            let ordered = try await server.order(
                #"[{"status": 500, "count": 1, "path": "delivery"}, {"status": 502, "path": "delivery"}, "#
                    + #"{"status": 503, "path": "destroy", "after": true}]"#)
            #expect(ordered.status == 200)
            #expect(try await server.upload(Images.png, ["public_id": "b"]).status == 200)
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

    @Test("is refused where it makes no sense")
    func refused() async throws {
        try await LocalCloudinary.run { server async throws in
            let orders = [
                "", "x", "{}", #"{"cut": false}"#, #"{"status": 200}"#, #"{"status": 503, "count": 0}"#,
                #"{"delayMilliseconds": -1}"#, #"{"stauts": 503}"#, #"{"status": 503, "path": "all"}"#,
                #"[{"status": 503}, {}]"#,
            ]
            for order in orders {
                #expect(try await server.order(order).status == 400, "\(order)")
            }
            #expect(try await server.get("/assets").status == 200)
        }
    }
}
