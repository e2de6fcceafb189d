internal import Contracts
internal import HTTPTypes
internal import WorkerKit

/// All routes of the API. The OpenAPI document is generated from this table.
///
/// A command whose response is 202 has a receipt at `/v1/receipts/SERVICE/TOKEN`. The `Location` field of the response
/// has this path, with a token of ``ReceiptTokens``.
enum RouteTable {
    static let all: [Route] = accounts + posts + media + search + receipts + builtIn

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
        .message(
            .patch, "/v1/media/{id}", Messages.Media.update.descriptor,
            .jsonAndPath(of: Messages.Media.update.descriptor)),
        .parameters(.delete, "/v1/media/{id}", Messages.Media.delete.descriptor),
    ]

    private static let search: [Route] = [
        .parameters(.get, "/v1/search/posts", Messages.Search.posts.descriptor, weight: RequestWeight.search)
    ]

    private static let receipts: [Route] = [
        .message(.get, "\(receiptRoot)/post/{receipt}", Messages.Post.receipt.descriptor, .receipt),
        .message(.get, "\(receiptRoot)/media/{receipt}", Messages.Media.receipt.descriptor, .receipt),
    ]

    private static let receiptRoot = "/v1/receipts"

    /// Returns the path of the receipt of an accepted command.
    static func receiptPath(_ token: String, _ service: ServiceName) -> String {
        "\(receiptRoot)/\(service.rawValue)/\(token)"
    }

    private static let builtIn: [Route] = [
        .builtIn(.get, "/.well-known/jwks.json", .publicKeys),
        .builtIn(.get, "/health/live", .liveness, limit: .unlimited),
        .builtIn(.get, "/health/ready", .readiness, limit: .unlimited),
        .builtIn(.get, "/openapi.json", .openAPI),
        .builtIn(.get, "/docs", .documentation),
        .builtIn(.get, "/", .root),
    ]
}

extension Route {
    /// Makes a route that sends a message whose body is a JSON object of the request's parameters.
    fileprivate static func parameters(
        _ method: HTTPRequest.Method, _ path: String, _ message: MessageDescriptor, weight: Int = 1
    ) -> Route {
        var route = Route.message(method, path, message, .parameters(of: message))
        route.weight = weight
        return route
    }
}
