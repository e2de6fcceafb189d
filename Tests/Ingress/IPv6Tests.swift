import TestSupport
import Testing

@Suite("The ingress over IPv6")
struct IPv6Tests {
    @Test("WARREN_HTTP_ADDRESS can be an IPv6 address, and requests to it are served")
    func serves() async throws {
        try await RunningIngress.with(environment: ["WARREN_HTTP_ADDRESS": "[::1]:0"]) { ingress in
            let client = try RawClient(port: ingress.port, from: "::1")
            let response = try client.call("GET", "/health/ready")
            #expect(response.status == 200)
        }
    }
}
