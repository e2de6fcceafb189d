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

    /// The endpoints that the ingress serves itself.
    enum BuiltInEndpoint: Sendable, Hashable {
        /// Succeeds while the process runs.
        case liveness
        /// Succeeds while the broker is reachable; also reports the state of Redis.
        case readiness
        /// The public keys that verify access tokens.
        case publicKeys
        /// The OpenAPI document of the whole API.
        case openAPI
    }

    /// The rate limits that count a request.
    enum RateLimitClass: Sendable, Hashable {
        /// No limit counts the request; the response reports the state of the general one. For probes, which must not
        /// fail because of their number.
        case unlimited
        /// The general limit, per caller, or per address if there is no caller.
        case general
        /// The general limit and a stricter one per address, against guessing of passwords.
        case credentials
    }

    let method: HTTPRequest.Method
    /// The path. A segment in braces matches any text, which becomes the parameter of that name.
    let path: String
    let action: Action
    let limit: RateLimitClass

    /// Makes a route that sends a message.
    static func message(
        _ method: HTTPRequest.Method, _ path: String, _ message: MessageDescriptor, _ body: BodySource,
        limit: RateLimitClass = .general
    ) -> Route {
        Route(method: method, path: path, action: .message(message, body: body), limit: limit)
    }

    /// Makes a route that the ingress serves itself.
    static func builtIn(
        _ method: HTTPRequest.Method, _ path: String, _ endpoint: BuiltInEndpoint, limit: RateLimitClass = .general
    ) -> Route {
        Route(method: method, path: path, action: .builtIn(endpoint), limit: limit)
    }
}
