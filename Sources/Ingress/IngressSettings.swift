internal import AMQP
internal import Contracts
internal import Reactor
internal import Redis
internal import WorkerKit

/// The configuration of the ingress, read from the environment.
struct IngressSettings: Sendable {
    /// `WARREN_HTTP_ADDRESS`, `WARREN_HTTP_THREADS`, `WARREN_HTTP_CONNECTIONS` and
    /// `WARREN_HTTP_CONNECTIONS_PER_CLIENT`.
    var http: HTTPSettings
    /// `WARREN_AMQP_URL`.
    var broker: BrokerAddress
    /// The environment. The addresses of the broker and of Redis are read from it for each connection.
    let source: Settings
    /// `WARREN_VERIFY_KEYS`, a JSON Web Key Set.
    var keys: PublicKeys
    /// `WARREN_RECEIPT_KEYS`.
    var receipts: ReceiptTokens
    /// `WARREN_TOKEN_ISSUER`.
    var issuer = "warren"
    /// `WARREN_TOKEN_AUDIENCE`.
    var audience = "warren"
    /// The maximum number of verified tokens in the cache.
    var tokenCacheSize = 10_000
    /// `WARREN_RATE_LIMIT`, `WARREN_CREDENTIAL_RATE_LIMIT` and `WARREN_ADDRESS_RATE_LIMIT`.
    var limits: RateLimits
    /// `WARREN_TRUSTED_PROXIES`.
    var proxies = TrustedProxies()
    /// `WARREN_CORS_ORIGINS`.
    var corsOrigins: [String] = []
    /// `WARREN_PENDING_REQUESTS`: the maximum number of requests that wait for a reply.
    var pendingRequests = 10_000
    /// `WARREN_BODY_BYTES`: the maximum number of bytes of request bodies that are held at once.
    var bodyBytes = 128 << 20
    /// `WARREN_RESPONSE_BYTES`: the maximum number of bytes of responses that are held at once.
    var responseBytes = 48 << 20
    /// The timeouts of the phases of a connection.
    var timeouts = ConnectionTimeouts(
        idle: 60_000_000_000, head: 10_000_000_000, body: 30_000_000_000, response: 60_000_000_000,
        stall: 10_000_000_000)
    /// The maximum size of a request's header fields, in bytes.
    var headerBytes = 16 * 1024

    /// Reads and validates the environment.
    ///
    /// - Throws: `SettingsError`, which names the variable.
    init(_ settings: Settings) async throws {
        let address = try settings.parsed("WARREN_HTTP_ADDRESS") { try ListenAddress($0) }
        http = HTTPSettings(host: address.host, port: address.port)
        http.threads = try settings.integer("WARREN_HTTP_THREADS", default: http.threads, in: 1...64)
        http.connections = try settings.integer("WARREN_HTTP_CONNECTIONS", default: 4096, in: 1...1_000_000)
        http.connectionsPerNetwork = try settings.integer(
            "WARREN_HTTP_CONNECTIONS_PER_CLIENT", default: max(1, http.connections / 4), in: 1...1_000_000)
        source = settings
        broker = try settings.broker()
        _ = try settings.redis()
        let keySet = try settings.requiredText("WARREN_VERIFY_KEYS")
        do {
            keys = try await PublicKeys(jwks: keySet)
        } catch {
            throw SettingsError("WARREN_VERIFY_KEYS", "\(error)")
        }
        let receiptKeys = try settings.list("WARREN_RECEIPT_KEYS")
        receipts = try settings.parsed("WARREN_RECEIPT_KEYS") { _ in try ReceiptTokens(keys: receiptKeys) }
        issuer = try settings.text("WARREN_TOKEN_ISSUER") ?? issuer
        audience = try settings.text("WARREN_TOKEN_AUDIENCE") ?? audience
        limits = try Self.limits(settings)
        proxies = try Self.proxies(settings, "WARREN_TRUSTED_PROXIES")
        corsOrigins = try settings.list("WARREN_CORS_ORIGINS")
        // Uploads get three quarters of the bytes, and one client gets a third of these three quarters. The minimum
        // leaves one client 6 MiB, which is enough for one file of maximum size.
        bodyBytes = try settings.integer("WARREN_BODY_BYTES", default: bodyBytes, in: 24 << 20...1 << 40)
        // An account gets a third. The minimum leaves it the largest page.
        responseBytes = try settings.integer(
            "WARREN_RESPONSE_BYTES", default: responseBytes, in: 3 * Page<Post>.maximumBytes...1 << 40)
        pendingRequests = try settings.integer("WARREN_PENDING_REQUESTS", default: 10_000, in: 1...1_000_000)
    }

    private static func limits(_ settings: Settings) throws(SettingsError) -> RateLimits {
        let general = try settings.rateLimit("WARREN_RATE_LIMIT", name: "general", default: "100/s burst 200")
        let ceiling =
            try settings.text("WARREN_ADDRESS_RATE_LIMIT") == nil
            ? general?.multiplied(by: 10, name: "address")
            : settings.rateLimit("WARREN_ADDRESS_RATE_LIMIT", name: "address", default: "off")
        return RateLimits(
            general: general,
            credentials: try settings.rateLimit(
                "WARREN_CREDENTIAL_RATE_LIMIT", name: "credentials", default: "10/min"), ceiling: ceiling)
    }

    private static func proxies(_ settings: Settings, _ variable: String) throws(SettingsError) -> TrustedProxies {
        let texts = try settings.list(variable)
        var networks: [IPNetwork] = []
        do throws(ParseError) {
            for text in texts { networks.append(try IPNetwork(text)) }
        } catch {
            throw SettingsError(variable, error.message)
        }
        return TrustedProxies(networks)
    }
}

/// The address that the HTTP server listens on, written `HOST:PORT` with an IPv6 address in brackets.
struct ListenAddress: Sendable, Hashable {
    let host: String
    let port: Int

    init(_ text: String) throws(ParseError) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { throw ParseError("must be HOST:PORT") }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, !host.contains("[") else { throw ParseError("must be HOST:PORT") }
        self.host = String(host)
        self.port = port
    }
}
