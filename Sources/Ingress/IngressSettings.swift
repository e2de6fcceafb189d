internal import AMQP
internal import Redis
internal import WorkerKit

/// The ingress's configuration, from the environment.
struct IngressSettings: Sendable {
    /// `WARREN_HTTP_ADDRESS`, and how much is taken over HTTP.
    var http: HTTPSettings
    /// `WARREN_AMQP_URL`.
    var broker: BrokerAddress
    /// `WARREN_REDIS_URL`.
    var redis: RedisAddress
    /// `WARREN_VERIFY_KEYS`: a JSON Web Key Set.
    var keys: PublicKeys
    /// `WARREN_TOKEN_ISSUER`.
    var issuer = "warren"
    /// `WARREN_TOKEN_AUDIENCE`.
    var audience = "warren"
    /// How many verified tokens are remembered.
    var tokenCacheSize = 10_000
    /// `WARREN_RATE_LIMIT` and `WARREN_CREDENTIAL_RATE_LIMIT`.
    var limits: RateLimits
    /// `WARREN_TRUSTED_PROXIES`.
    var proxies = TrustedProxies()
    /// `WARREN_CORS_ORIGINS`.
    var corsOrigins: [String] = []
    /// `WARREN_PENDING_REQUESTS`: how many requests may wait for their replies.
    var pendingRequests = 10_000
    /// `WARREN_BODY_BYTES`: how many bytes of bodies may be held at once.
    var bodyBytes = 128 << 20
    /// How long a connection's phases may last.
    var connection = ConnectionLimits(
        idle: 60_000_000_000, head: 10_000_000_000, body: 30_000_000_000, answer: 60_000_000_000)
    /// The most bytes of a request's header fields.
    var headerBytes = 16 * 1024

    /// Reads the environment.
    ///
    /// - Throws: a fault that names the variable.
    init(_ settings: Settings) async throws {
        let address = try settings.parsed("WARREN_HTTP_ADDRESS") { try HostAndPort($0) }
        http = HTTPSettings(host: address.host, port: address.port)
        http.threads = try settings.integer("WARREN_HTTP_THREADS", default: http.threads, in: 1...64)
        http.connections = try settings.integer("WARREN_HTTP_CONNECTIONS", default: 4096, in: 1...1_000_000)
        broker = try settings.parsed("WARREN_AMQP_URL") { try BrokerAddress(url: $0) }
        redis = try settings.parsed("WARREN_REDIS_URL") { try RedisAddress(url: $0) }
        let keySet = try settings.requiredText("WARREN_VERIFY_KEYS")
        do {
            keys = try await PublicKeys(jwks: keySet)
        } catch {
            throw Settings.Fault("WARREN_VERIFY_KEYS", "\(error)")
        }
        issuer = try settings.text("WARREN_TOKEN_ISSUER") ?? issuer
        audience = try settings.text("WARREN_TOKEN_AUDIENCE") ?? audience
        limits = RateLimits(
            general: try Self.limit(settings, "WARREN_RATE_LIMIT", name: "general", default: "100/s burst 200"),
            credentials: try Self.limit(
                settings, "WARREN_CREDENTIAL_RATE_LIMIT", name: "credentials", default: "10/min"))
        proxies = try Self.proxies(settings, "WARREN_TRUSTED_PROXIES")
        corsOrigins = try settings.list("WARREN_CORS_ORIGINS")
        // Three quarters are for uploads; a client may have a third of those, and that must be room for a file.
        bodyBytes = try settings.integer("WARREN_BODY_BYTES", default: bodyBytes, in: 24 << 20...1 << 40)
        pendingRequests = try settings.integer("WARREN_PENDING_REQUESTS", default: 10_000, in: 1...1_000_000)
    }

    private static func proxies(_ settings: Settings, _ variable: String) throws(Settings.Fault) -> TrustedProxies {
        let texts = try settings.list(variable)
        var networks: [IPNetwork] = []
        do throws(IPNetwork.Malformed) {
            for text in texts { networks.append(try IPNetwork(text)) }
        } catch {
            throw Settings.Fault(variable, "\(error)")
        }
        return TrustedProxies(networks)
    }

    private static func limit(
        _ settings: Settings, _ variable: String, name: String, default value: String
    ) throws(Settings.Fault) -> RateLimit? {
        let text = try settings.text(variable) ?? value
        do throws(RateLimit.Malformed) {
            return try RateLimit.parse(text, name: name)
        } catch {
            throw Settings.Fault(variable, "\(error)")
        }
    }
}

/// `HOST:PORT`, an IPv6 address in brackets.
struct HostAndPort: Sendable, Hashable {
    /// A text that is none.
    struct Malformed: Error, CustomStringConvertible {
        let description = "must be HOST:PORT"
    }

    let host: String
    let port: Int

    init(_ text: String) throws(Malformed) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { throw Malformed() }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, !host.contains("[") else { throw Malformed() }
        self.host = String(host)
        self.port = port
    }
}
