internal import Contracts
internal import HTTPTypes

/// One row of the HTTP contract: a method, a path, and the action for requests that match them.
struct Route: Sendable {
    /// The action of a route.
    enum Action: Sendable {
        /// Sends a message and responds with its reply.
        case message(MessageDescriptor, body: BodySource)
        /// Responds without sending a message.
        case builtIn(BuiltInEndpoint)
    }

    /// An endpoint that the ingress serves without sending a message.
    enum BuiltInEndpoint: Sendable, Hashable {
        /// Succeeds while the process runs.
        case liveness
        /// Succeeds while the broker is reachable; also reports the state of Redis.
        case readiness
        /// The public keys that verify access tokens.
        case publicKeys
        /// The OpenAPI document of the whole API.
        case openAPI
        /// The name of the service and the addresses of its documents.
        case root
        /// The page on which a person reads and tries the API.
        case documentation
    }

    /// The rate limits that count a request.
    enum RateLimitClass: Sendable, Hashable {
        /// No limit counts the request, but the response reports the state of the general limit. This class is for
        /// probes, because a rate limit must not make a probe fail.
        case unlimited
        /// The general limit, per caller, or per address if there is no caller.
        case general
        /// The general limit and a stricter limit per address, which slows down the guessing of passwords.
        case credentials
    }

    let method: HTTPRequest.Method
    /// The path. A segment in braces matches any text, and the text becomes the value of the parameter in the braces.
    let path: String
    let action: Action
    let limit: RateLimitClass
    /// The weight of each request for the general rate limit.
    var weight = 1

    /// Makes a route that sends a message.
    static func message(
        _ method: HTTPRequest.Method, _ path: String, _ message: MessageDescriptor, _ body: BodySource,
        limit: RateLimitClass = .general
    ) -> Route {
        Route(method: method, path: path, action: .message(message, body: body), limit: limit)
    }

    /// Makes a route that the ingress serves without sending a message.
    static func builtIn(
        _ method: HTTPRequest.Method, _ path: String, _ endpoint: BuiltInEndpoint, limit: RateLimitClass = .general
    ) -> Route {
        Route(method: method, path: path, action: .builtIn(endpoint), limit: limit)
    }
}
