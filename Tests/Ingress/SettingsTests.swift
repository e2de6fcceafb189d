import NIOCore
import Testing
import WorkerKit

@testable import Ingress

@Suite("Settings of the ingress")
struct SettingsTests {
    private func environment(_ changes: [String: String?] = [:]) async throws -> [String: String] {
        var all: [String: String?] = [
            "WARREN_HTTP_ADDRESS": "127.0.0.1:0", "WARREN_AMQP_URL": "amqp://u:p@127.0.0.1/v",
            "WARREN_REDIS_URL": "redis://127.0.0.1", "WARREN_VERIFY_KEYS": try await TokenMaker().keySetText,
            "WARREN_RECEIPT_KEYS": String(repeating: "k", count: 32),
        ]
        for (name, value) in changes { all[name] = value }
        return all.compactMapValues { $0 }
    }

    @Test("five variables of the ingress are required, and all others have defaults")
    func defaults() async throws {
        let settings = try await IngressSettings(Settings(environment: try await environment()))
        #expect(settings.http.host == "127.0.0.1")
        #expect(settings.http.threads == min(4, max(1, System.coreCount / 2)))
        #expect(settings.issuer == "warren")
        #expect(settings.limits.general == RateLimit(name: "general", count: 100, per: .seconds(1), burst: 200))
        #expect(settings.limits.credentials == RateLimit(name: "credentials", count: 10, per: .seconds(60)))
        #expect(settings.corsOrigins.isEmpty)
    }

    @Test(
        "the error for a missing or malformed variable contains the variable's name but not its value",
        arguments: [
            ("WARREN_HTTP_ADDRESS", nil), ("WARREN_HTTP_ADDRESS", "secret"), ("WARREN_HTTP_ADDRESS", "secret:99999"),
            ("WARREN_AMQP_URL", nil), ("WARREN_AMQP_URL", "http://secret"), ("WARREN_REDIS_URL", "secret"),
            ("WARREN_VERIFY_KEYS", nil), ("WARREN_VERIFY_KEYS", "{\"secret\":1}"), ("WARREN_RATE_LIMIT", "secret"),
            ("WARREN_RECEIPT_KEYS", nil), ("WARREN_RECEIPT_KEYS", "secret"), ("WARREN_RECEIPT_KEYS", ","),
            ("WARREN_CREDENTIAL_RATE_LIMIT", "secret"), ("WARREN_HTTP_THREADS", "0"), ("WARREN_HTTP_CONNECTIONS", "x"),
            ("WARREN_PENDING_REQUESTS", "-1"), ("WARREN_BODY_BYTES", "1000000"), ("WARREN_TRUSTED_PROXIES", "secret"),
            ("WARREN_TRUSTED_PROXIES", "10.0.0.0/33"), ("WARREN_TRUSTED_PROXIES", "10.0.0.1, fe80::1%eth0"),
        ] as [(String, String?)])
    func faults(variable: String, value: String?) async throws {
        let settings = Settings(environment: try await environment([variable: value]))
        let fault = await #expect(throws: SettingsError.self) { try await IngressSettings(settings) }
        #expect(fault?.variable == variable)
        #expect(fault?.description.contains("secret") == false)
    }

    @Test(
        "a listen address is parsed into its host and its port",
        arguments: [("localhost:80", "localhost", 80), ("[::1]:8080", "::1", 8080), ("0.0.0.0:0", "0.0.0.0", 0)])
    func address(text: String, host: String, port: Int) throws {
        let address = try ListenAddress(text)
        #expect(address.host == host)
        #expect(address.port == port)
    }
}
