internal import Contracts
internal import HTTPTypes

/// What the ingress answers itself.
struct OwnResources: Sendable {
    private static let cacheable = HTTPField(name: .cacheControl, value: "public, max-age=300")

    private let keys: Answer
    private let alive: Answer

    init(keys: PublicKeys) {
        self.keys = Answer(
            status: 200,
            fields: HTTPFields([HTTPField(name: .contentType, value: "application/jwk-set+json"), Self.cacheable]),
            body: keys.document)
        alive = .json(Array(#"{"status":"alive"}"#.utf8))
    }

    /// Answers a request for one of them.
    func answer(_ resource: Route.OwnResource, _ exchange: MessageExchange) async -> Answer {
        switch resource {
        case .liveness: alive
        case .publicKeys: keys
        case .readiness: Self.readiness(await exchange.health())
        }
    }

    /// Ready where the broker is: without Redis, caches are misses and rate limits are local.
    static func readiness(_ health: MessageExchange.Health) -> Answer {
        let body = JSONWriter.bytes(capacity: 96) { writer in
            writer.object { writer in
                for (name, value) in [
                    ("status", health.isBrokerUp ? "ready" : "unavailable"),
                    ("broker", health.isBrokerUp ? "up" : "down"), ("redis", health.isRedisUp ? "up" : "down"),
                ] {
                    writer.name(name)
                    writer.string(value)
                }
            }
        }
        return .json(body, status: health.isBrokerUp ? 200 : 503)
    }
}
