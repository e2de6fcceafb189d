internal import Contracts
internal import HTTPTypes
internal import Zlib

/// The responses of the endpoints that the ingress serves without sending a message.
struct BuiltInEndpoints: Sendable {
    private static let cacheable = HTTPField(name: .cacheControl, value: "public, max-age=300")

    private let keys: IngressResponse
    private let alive: IngressResponse
    private let openAPI: IngressResponse
    private let root: IngressResponse
    private let documentation: IngressResponse

    init(keys: PublicKeys) {
        self.keys = IngressResponse(
            status: 200,
            fields: HTTPFields([HTTPField(name: .contentType, value: "application/jwk-set+json"), Self.cacheable]),
            body: keys.document)
        alive = .json(Array(#"{"status":"alive"}"#.utf8))
        let document = OpenAPI.document.serialized()
        openAPI = Self.document(document, type: ContentType.json)
        root = Self.document(Self.index.serialized(), type: ContentType.json)
        let page = DocumentationPage(of: OpenAPI.document)
        var documentation = Self.document(page.html, type: "text/html; charset=utf-8")
        documentation.contentSecurityPolicy = page.contentSecurityPolicy
        self.documentation = documentation
    }

    private static let index: JSON = [
        "name": "Warren", "description": "A social backend: accounts, posts, pictures and search.",
        "contract": "/openapi.json", "documentation": "/docs", "health": "/health/ready",
    ]

    /// Makes the response with a document that never changes. It is compressed here, once.
    private static func document(_ body: [UInt8], type: String) -> IngressResponse {
        var response = IngressResponse(
            status: 200,
            fields: HTTPFields([
                HTTPField(name: .contentType, value: type), cacheable,
                HTTPField(name: .eTag, value: entityTag(of: body)),
            ]), body: body)
        response.gzippedBody = GzipStream.compress(body, level: 9)
        return response
    }

    /// Returns the entity tag of a document: the hash of its bytes (FNV-1a, 64 bits).
    ///
    /// The tag depends only on the bytes, so all processes of the same version serve the same tag.
    private static func entityTag(of document: [UInt8]) -> String {
        let hash = document.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return "\"\(String(hash, radix: 16))\""
    }

    /// Returns the response to a request for an endpoint.
    ///
    /// - Parameter health: the state of the connections, which the readiness probe reports.
    func response(of endpoint: Route.BuiltInEndpoint, health: LoopBridge.Health) -> IngressResponse {
        switch endpoint {
        case .liveness: alive
        case .publicKeys: keys
        case .openAPI: openAPI
        case .root: root
        case .documentation: documentation
        case .readiness: Self.readiness(health)
        }
    }

    /// Returns 200 if the broker is up, otherwise 503.
    ///
    /// The state of Redis does not affect the status, because without Redis each process counts its requests itself. A
    /// missing queue does not affect it either, because requests to the other queues are served.
    static func readiness(_ health: LoopBridge.Health) -> IngressResponse {
        let body = JSONWriter.bytes(capacity: 96) { writer in
            writer.object { writer in
                for (name, value) in [
                    ("status", health.isBrokerUp ? "ready" : "unavailable"),
                    ("broker", health.isBrokerUp ? "up" : "down"), ("redis", health.isRedisUp ? "up" : "down"),
                ] {
                    writer.name(name)
                    writer.string(value)
                }
                writer.name("missingQueues")
                writer.array(of: health.missingQueues) { $0.string($1) }
            }
        }
        return .json(body, status: health.isBrokerUp ? 200 : 503)
    }
}
