internal import ASCII
internal import HTTPTypes

/// The routes as a tree of path segments.
struct RouteTree: Sendable {
    /// The result of matching a method and a path.
    enum Match {
        /// A route, with the percent-decoded parameters in the path.
        case route(Route, [Parameter])
        /// No route has this path.
        case notFound
        /// The path has routes, but none for the method. `allow` is the value of the `Allow` field.
        case methodNotAllowed(allow: String)
        /// A parameter in the path is not percent-encoded UTF-8.
        case malformedPath
    }

    private struct Node: Sendable {
        var literals: [String: Node] = [:]
        var parameter: (name: String, NodeReference)?
        var routes: [Route] = []
        var allow = ""
    }

    /// Holds a node by reference, because a struct cannot contain itself.
    private final class NodeReference: Sendable {
        let node: Node
        init(_ node: Node) { self.node = node }
    }

    private var root = Node()

    /// Builds the tree. If two routes have the same method and path, the first one is used.
    init(_ routes: [Route]) {
        for route in routes { Self.insert(route, Self.segments(route.path)[...], into: &root) }
    }

    /// Returns the route that matches a method and a path.
    ///
    /// - Parameters:
    ///   - method: the request's method; HEAD matches the routes for GET.
    ///   - path: the path as sent, without the query.
    func match(_ method: HTTPRequest.Method, _ path: Substring) -> Match {
        guard path.utf8.first == UInt8(ascii: "/") else { return .notFound }
        var node = root
        var parameters: [Parameter] = []
        for segment in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            if let next = node.literals[String(segment)] {
                node = next
            } else if let (name, next) = node.parameter, !segment.isEmpty {
                guard let value = PercentEncoding.decode(segment.utf8) else { return .malformedPath }
                parameters.append(Parameter(name: name, value: value))
                node = next.node
            } else {
                return .notFound
            }
        }
        guard !node.routes.isEmpty else { return .notFound }
        let wanted = method == .head ? .get : method
        guard let route = node.routes.first(where: { $0.method == wanted }) else {
            return .methodNotAllowed(allow: node.allow)
        }
        return .route(route, parameters)
    }

    private static func segments(_ path: String) -> [Substring] {
        path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    }

    private static func insert(_ route: Route, _ segments: ArraySlice<Substring>, into node: inout Node) {
        guard let segment = segments.first else {
            node.routes.append(route)
            node.allow = allow(node.routes)
            return
        }
        if segment.hasPrefix("{"), segment.hasSuffix("}") {
            var next = node.parameter?.1.node ?? Node()
            insert(route, segments.dropFirst(), into: &next)
            node.parameter = (node.parameter?.0 ?? String(segment.dropFirst().dropLast()), NodeReference(next))
        } else {
            insert(route, segments.dropFirst(), into: &node.literals[String(segment), default: Node()])
        }
    }

    private static func allow(_ routes: [Route]) -> String {
        var methods = routes.map(\.method.rawValue)
        if methods.contains("GET") { methods.append("HEAD") }
        return methods.sorted().joined(separator: ", ")
    }
}
