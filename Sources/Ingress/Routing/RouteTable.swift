internal import Contracts
internal import HTTPTypes
internal import WorkerKit

/// Every route there is. What else is said of them, such as the OpenAPI document, is made from this table.
///
/// A command that is accepted without an answer (202) has its receipt at `/v1/receipts/SERVICE/ID`, ID being the
/// message's own; the answer's `Location` says so.
enum RouteTable {
    static let all: [Route] = accounts + posts + media + search + receipts + own

    private static let accounts: [Route] = [
        .message(.post, "/v1/auth/register", Messages.Identity.register.descriptor, .json, limit: .credentials),
        .message(.post, "/v1/auth/login", Messages.Identity.login.descriptor, .json, limit: .credentials),
        .message(.post, "/v1/auth/refresh", Messages.Identity.refresh.descriptor, .json),
        .message(.post, "/v1/auth/logout", Messages.Identity.logout.descriptor, .json),
        .message(.post, "/v1/auth/logout-all", Messages.Identity.logoutAll.descriptor, .none),
        .message(
            .post, "/v1/auth/password", Messages.Identity.changePassword.descriptor, .json, limit: .credentials),
        .message(.get, "/v1/accounts/me", Messages.Identity.me.descriptor, .none),
    ]

    private static let posts: [Route] = [
        .message(.post, "/v1/posts", Messages.Post.create.descriptor, .json),
        .parameters(.get, "/v1/posts", Messages.Post.list.descriptor),
        .parameters(.get, "/v1/posts/{id}", Messages.Post.get.descriptor),
        .parameters(.delete, "/v1/posts/{id}", Messages.Post.delete.descriptor),
    ]

    private static let media: [Route] = [
        .message(.post, "/v1/media", Messages.Media.upload.descriptor, .upload),
        .parameters(.get, "/v1/media", Messages.Media.list.descriptor),
        .parameters(.get, "/v1/media/{id}", Messages.Media.get.descriptor),
        .parameters(.delete, "/v1/media/{id}", Messages.Media.delete.descriptor),
    ]

    private static let search: [Route] = [
        .parameters(.get, "/v1/search/posts", Messages.Search.posts.descriptor)
    ]

    private static let receipts: [Route] = [
        .parameters(.get, "\(receiptRoot)/post/{id}", Messages.Post.receipt.descriptor),
        .parameters(.get, "\(receiptRoot)/media/{id}", Messages.Media.receipt.descriptor),
    ]

    private static let receiptRoot = "/v1/receipts"

    /// Where what became of an accepted command can be read.
    static func receipt(of request: OutgoingRequest) -> String {
        "\(receiptRoot)/\(request.message.service.rawValue)/\(request.id.text)"
    }

    private static let own: [Route] = [
        .own(.get, "/.well-known/jwks.json", .publicKeys),
        .own(.get, "/health/live", .liveness, limit: .unlimited),
        .own(.get, "/health/ready", .readiness, limit: .unlimited),
        .own(.get, "/openapi.json", .openAPI),
    ]
}

extension Route {
    /// A route whose message's body is an object of its parameters.
    fileprivate static func parameters(_ method: HTTPRequest.Method, _ path: String, _ message: MessageDescriptor)
        -> Route
    {
        .message(method, path, message, .parameters(of: message))
    }
}
