import Contracts
import FoundationEssentials
import HTTPTypes
import Testing
import WorkerKit

@testable import Ingress

@Suite("Limits in the HTTP contract", .serialized)
struct RequestLimitTests {
    @Test("the default limits are 10 s for header fields, 30 s for a body and 16 KiB of header fields")
    func times() async throws {
        let settings = try await IngressSettings(
            Settings(environment: [
                "WARREN_HTTP_ADDRESS": "127.0.0.1:0", "WARREN_AMQP_URL": "amqp://u:p@127.0.0.1/v",
                "WARREN_REDIS_URL": "redis://127.0.0.1", "WARREN_VERIFY_KEYS": try await TokenMaker().keySetText,
                "WARREN_RECEIPT_KEYS": String(repeating: "k", count: 32),
            ]))
        #expect(settings.timeouts.head == 10_000_000_000)
        #expect(settings.timeouts.body == 30_000_000_000)
        #expect(settings.headerBytes == 16_384)
    }

    @Test("a JSON body of 64 KiB is accepted, and a body that is one byte larger gets 413")
    func json() async throws {
        try await RunningIngress.with { ingress in
            // No worker replies, so 503 means that the ingress accepted the request. If the stub worker of another test
            // receives the message, 504 means this as well.
            for (count, statuses) in [(65_536, [503, 504]), (65_537, [413])] {
                let response = try ingress.client().call(
                    "POST", "/v1/auth/login", fields: ["Content-Type": "application/json"],
                    body: [UInt8](repeating: UInt8(ascii: " "), count: count))
                #expect(statuses.contains(response.status), "\(count)")
            }
        }
    }

    @Test("a file that is one byte larger than 5 MiB gets 413")
    func file() async throws {
        try await RunningIngress.with { ingress in
            let form =
                Array("--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n".utf8)
                + [UInt8](repeating: 0xFF, count: 5_242_881) + Array("\r\n--b--\r\n".utf8)
            let response = try ingress.client().call(
                "POST", "/v1/media", token: try ingress.maker.token(),
                fields: ["Content-Type": "multipart/form-data; boundary=b"], body: form)
            #expect(response.status == 413)
            #expect(response.code == "body-too-large")
        }
    }

    @Test("the credential limit applies only to registration, login and password change")
    func credentials() {
        let strict = RouteTable.all.filter { $0.limit == .credentials }
        #expect(Set(strict.map(\.path)) == ["/v1/auth/register", "/v1/auth/login", "/v1/auth/password"])
    }

    @Test("an upload over the rate limit gets 429 before its body is read")
    func upload() async throws {
        try await RunningIngress.with(environment: ["WARREN_RATE_LIMIT": "1/min burst 1"]) { ingress in
            let token = try ingress.maker.token(claims: ingress.maker.claims(subject: UUID().uuidString))
            let client = try ingress.client()
            #expect(try client.call("GET", "/v1/search/posts", token: token).status != 429)
            // Only the head of the request is sent.
            try client.send(
                "POST /v1/media HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                    + "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n")
            let response = try client.receive()
            #expect(response.status == 429)
            #expect(response.fields["retry-after"] != nil)
        }
    }
}
