internal import Contracts
internal import HTTPTypes

/// One row of the HTTP contract: a method and a path, and what is done with them.
struct Route: Sendable {
    /// What a route does.
    enum Action: Sendable {
        /// Sends a message and writes its reply through.
        case message(MessageDescriptor, body: BodySource)
        /// Answers from the ingress itself.
        case own(OwnResource)
    }

    /// What the ingress knows itself.
    enum OwnResource: Sendable, Hashable {
        /// The process runs.
        case liveness
        /// The broker is reachable, and whether Redis is.
        case readiness
        /// The public keys that access tokens are verified with.
        case publicKeys
        /// What all of this is, as OpenAPI has it.
        case openAPI
    }

    /// Which rate limit counts a request.
    enum LimitClass: Sendable, Hashable {
        /// None, though the answer tells how the general one stands: probes, which must not fail for their number.
        case unlimited
        /// The general one, by caller where there is one and by address else.
        case general
        /// The strict one by address, beside the general one: whoever guesses passwords comes here.
        case credentials
    }

    /// The method.
    let method: HTTPRequest.Method
    /// The path; a segment in braces takes any text and becomes the parameter of that name.
    let path: String
    /// What is done.
    let action: Action
    /// What counts it.
    let limit: LimitClass

    /// A route that becomes a message.
    static func message(
        _ method: HTTPRequest.Method, _ path: String, _ message: MessageDescriptor, _ body: BodySource,
        limit: LimitClass = .general
    ) -> Route {
        Route(method: method, path: path, action: .message(message, body: body), limit: limit)
    }

    /// A route that the ingress answers itself.
    static func own(
        _ method: HTTPRequest.Method, _ path: String, _ resource: OwnResource, limit: LimitClass = .general
    ) -> Route {
        Route(method: method, path: path, action: .own(resource), limit: limit)
    }
}
