import Contracts
import HTTPTypes
import Testing

@testable import Ingress

@Suite("Matching of routes")
struct RouteTreeTests {
    private let tree = RouteTree(RouteTable.all)

    private func messageType(_ method: HTTPRequest.Method, _ path: String) -> String? {
        guard case .route(let route, _) = tree.match(method, path[...]), case .message(let message, _) = route.action
        else { return nil }
        return message.name
    }

    @Test(
        "each call of the API is routed to its message",
        arguments: [
            ("POST", "/v1/auth/register", "identity.register"), ("POST", "/v1/auth/login", "identity.login"),
            ("POST", "/v1/auth/refresh", "identity.refresh"), ("POST", "/v1/auth/logout", "identity.logout"),
            ("POST", "/v1/auth/logout-all", "identity.logout-all"),
            ("POST", "/v1/auth/password", "identity.change-password"), ("GET", "/v1/accounts/me", "identity.me"),
            ("POST", "/v1/posts", "post.create"), ("GET", "/v1/posts", "post.list"),
            ("GET", "/v1/posts/a", "post.get"), ("DELETE", "/v1/posts/a", "post.delete"),
            ("POST", "/v1/media", "media.upload"), ("GET", "/v1/media", "media.list"),
            ("GET", "/v1/media/a", "media.get"), ("DELETE", "/v1/media/a", "media.delete"),
            ("GET", "/v1/search/posts", "search.posts"), ("GET", "/v1/receipts/post/a", "post.receipt"),
            ("GET", "/v1/receipts/media/a", "media.receipt"),
        ])
    func messages(method: String, path: String, type: String) throws {
        #expect(messageType(try #require(HTTPRequest.Method(method)), path) == type)
    }

    @Test("HEAD matches the routes for GET")
    func head() {
        #expect(messageType(.head, "/v1/posts/a") == "post.get")
        #expect(messageType(.head, "/v1/media") == "media.list")
    }

    @Test(
        "an unknown path matches no route",
        arguments: [
            "", "v1/posts", "/v1", "/v1/", "/v1/posts//", "/v1/posts/a/b", "/v1/posts/a/b/", "/V1/posts", "/v1/postss",
            "//v1/posts", "//v1/posts/", "/v1/../v1/posts", "*", "/v1/p%6Fsts", "/health", "/.well-known",
            "//x.example/",
        ])
    func notFound(path: String) {
        guard case .notFound = tree.match(.get, path[...]) else {
            Issue.record("\(path) matched a route")
            return
        }
    }

    @Test(
        "a method that a path does not support is not allowed, and Allow has the methods of the path",
        arguments: [
            ("PUT", "/v1/posts", "GET, HEAD, OPTIONS, POST"), ("POST", "/v1/posts/a", "DELETE, GET, HEAD, OPTIONS"),
            ("GET", "/v1/auth/login", "OPTIONS, POST"), ("HEAD", "/v1/auth/login", "OPTIONS, POST"),
        ])
    func methodNotAllowed(method: String, path: String, expected: String) throws {
        guard case .methodNotAllowed(let allow) = tree.match(try #require(HTTPRequest.Method(method)), path[...]) else {
            Issue.record("\(method) \(path) is allowed")
            return
        }
        #expect(allow == expected)
    }

    @Test(
        "OPTIONS on a known path, or on the server as a whole, matches with the methods for Allow",
        arguments: [
            ("/health/live", "GET, HEAD, OPTIONS"), ("/v1/posts", "GET, HEAD, OPTIONS, POST"),
            ("/v1/posts/a", "DELETE, GET, HEAD, OPTIONS"), ("/v1/auth/login", "OPTIONS, POST"),
            ("/v1/media/a", "DELETE, GET, HEAD, OPTIONS, PATCH"),
            ("*", "DELETE, GET, HEAD, OPTIONS, PATCH, POST"),
        ])
    func options(path: String, expected: String) {
        guard case .options(let allow, _) = tree.match(.options, path[...]) else {
            Issue.record("OPTIONS \(path) does not match")
            return
        }
        #expect(allow == expected)
    }

    @Test(
        "a path with one slash too many at its end matches as the path without it, whatever the method",
        arguments: ["/v1/posts/", "/v1/posts/a%2Fb/", "/openapi.json/", "/v1/auth/login/", "/health/ready/"])
    func trailingSlash(path: String) {
        for method in [HTTPRequest.Method.get, .post, .options, .put] {
            guard case .trailingSlash(let shorter) = tree.match(method, path[...]) else {
                Issue.record("\(method) \(path) does not match")
                continue
            }
            #expect(shorter == path.dropLast())
        }
    }

    @Test("a path parameter is percent-decoded, and an encoded slash in it is not a separator")
    func parameters() {
        guard case .route(_, let parameters) = tree.match(.get, "/v1/posts/a%2Fb%20%C3%A4+") else {
            Issue.record("no route matched")
            return
        }
        #expect(parameters == [Parameter(name: "id", value: "a/b ä+")])
    }

    @Test(
        "a path parameter that is not percent-encoded UTF-8 is refused as malformed",
        arguments: ["%", "%2", "%zz", "%FF", "a%"])
    func malformed(segment: String) {
        guard case .malformedPath = tree.match(.get, "/v1/posts/\(segment)") else {
            Issue.record("\(segment) was accepted")
            return
        }
    }
}
