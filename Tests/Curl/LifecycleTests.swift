import Curl
import Foundation
import Reactor
import TestSupport
import Testing

@Suite("HTTP client lifecycle", .timeLimit(.minutes(2)))
struct LifecycleTests {
    @Test("successive HTTP requests use one connection")
    @Loop func reuse() async throws {
        try await withServer { server, client async throws in
            for _ in 0..<50 {
                #expect(try await client.perform(HTTPRequest(url: server.url("echo"))).status == 200)
            }
            #expect(server.acceptedCount == 1)
        }
    }

    @Test("a hundred concurrent requests get their own responses and use no more connections than allowed")
    @Loop func parallel() async throws {
        try await withServer(maximumConnections: 20) { server, client async throws in
            let responses = try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group async throws in
                for number in 0..<100 {
                    let request = HTTPRequest(
                        method: "POST", url: server.url("echo"), body: .bytes(Array("number \(number)".utf8)))
                    group.addTask { (number, try await client.perform(request).body) }
                }
                var responses: [Int: [UInt8]] = [:]
                for try await (number, body) in group { responses[number] = body }
                return responses
            }
            #expect(responses.count == 100)
            #expect(responses.allSatisfy { $1 == Array("number \($0)".utf8) })
            #expect(server.acceptedCount <= 20)
        }
    }

    @Test("an HTTP request throws .cancelled at once when its task is cancelled, and later requests succeed")
    @Loop func cancellation() async throws {
        try await withServer { server, client async throws in
            let request = HTTPRequest(url: server.url("silence"))
            let task = Task { @Loop in try await client.perform(request) }
            #expect(try await eventually { server.requests.count == 1 })
            task.cancel()
            await #expect {
                try await task.value
            } throws: {
                ($0 as? CurlError)?.code == .cancelled
            }
            #expect(try await client.perform(HTTPRequest(url: server.url("echo"))).status == 200)
            // The connection of the cancelled request is not reused.
            #expect(server.acceptedCount == 2)
            task.cancel()
        }
    }

    @Test("after an HTTP client is closed, its requests in flight and new requests fail with .cancelled")
    @Loop func close() async throws {
        try await withServer { server, client async throws in
            async let pending = failure(client, HTTPRequest(url: server.url("silence")))
            #expect(try await eventually { server.requests.count == 1 })
            client.close()
            client.close()
            #expect(await pending?.code == .cancelled)
            #expect(await failure(client, HTTPRequest(url: server.url("echo")))?.code == .cancelled)
            #expect(try await eventually { server.openCount == 0 })
        }
    }

    @Test("opening and closing HTTP clients leaks no connections and no descriptors")
    @Loop func startStop() async throws {
        let server = try HTTPServer()
        let before = try openDescriptors()
        for _ in 0..<300 {
            let client = try CurlClient()
            #expect(try await client.perform(HTTPRequest(url: server.url("echo"))).status == 200)
            client.close()
        }
        // Other tests open descriptors at the same time but close them again; leaked descriptors of 300 clients would
        // stay open.
        #expect(try await eventually(within: .seconds(60)) { try openDescriptors() - before < 150 })
        #expect(try await eventually { server.openCount == 0 })
        // A client that is released without close() also closes its connections.
        try await useAndReleaseClient(server)
        #expect(try await eventually { server.openCount == 0 })
        server.stop()
    }

    @Loop private func useAndReleaseClient(_ server: HTTPServer) async throws {
        let client = try CurlClient()
        #expect(try await client.perform(HTTPRequest(url: server.url("echo"))).status == 200)
        #expect(server.openCount == 1)
    }

    private func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }
}
