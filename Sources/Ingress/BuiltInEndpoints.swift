internal import Contracts
internal import HTTPTypes

/// What the ingress answers itself.
struct OwnResources: Sendable {
    private static let cacheable = HTTPField(name: .cacheControl, value: "public, max-age=300")

    private let keys: Answer
    private let alive: Answer
    private let openAPI: Answer

    init(keys: PublicKeys) {
        self.keys = Answer(
            status: 200,
            fields: HTTPFields([HTTPField(name: .contentType, value: "application/jwk-set+json"), Self.cacheable]),
            body: keys.document)
        alive = .json(Array(#"{"status":"alive"}"#.utf8))
        let document = OpenAPI.document.serialized()
        openAPI = Answer(
            status: 200,
            fields: HTTPFields([
                HTTPField(name: .contentType, value: ContentType.json), Self.cacheable,
                HTTPField(name: .eTag, value: Self.tag(of: document)),
            ]), body: document)
    }

    /// An entity tag by what a document says (FNV-1a, 64 bits): the same in every process of the same program.
    private static func tag(of document: [UInt8]) -> String {
        let hash = document.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return "\"\(String(hash, radix: 16))\""
    }

    /// Answers a request for one of them.
    func answer(_ resource: Route.OwnResource, _ exchange: MessageExchange) async -> Answer {
        switch resource {
        case .liveness: alive
        case .publicKeys: keys
        case .openAPI: openAPI
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
