internal import HTTPTypes

/// The routes by the segments of their paths.
struct RouteTree: Sendable {
    /// What a method and a path lead to.
    enum Match {
        /// A route, and the parameters in the path, percent-decoded.
        case route(Route, [Parameter])
        /// No route has this path.
        case notFound
        /// Routes have this path, for other methods: the value of `Allow`.
        case methodNotAllowed(allow: String)
        /// A parameter of the path is no percent-encoded UTF-8.
        case malformed
    }

    private struct Node: Sendable {
        var literals: [String: Node] = [:]
        var parameter: (name: String, Box)?
        var routes: [Route] = []
        var allow = ""
    }

    /// A node inside a node; immutable once the tree is built.
    private final class Box: Sendable {
        let node: Node
        init(_ node: Node) { self.node = node }
    }

    private var root = Node()

    /// Makes a tree of routes; of two with the same method and path the first one counts.
    init(_ routes: [Route]) {
        for route in routes { Self.insert(route, Self.segments(route.path)[...], into: &root) }
    }

    /// Finds the route of a method and a path.
    ///
    /// - Parameters:
    ///   - method: HEAD finds what GET does.
    ///   - path: the path as it was sent, without the query.
    func match(_ method: HTTPRequest.Method, _ path: Substring) -> Match {
        guard path.utf8.first == UInt8(ascii: "/") else { return .notFound }
        var node = root
        var parameters: [Parameter] = []
        for segment in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            if let next = node.literals[String(segment)] {
                node = next
            } else if let (name, next) = node.parameter, !segment.isEmpty {
                guard let value = PercentEncoding.decode(segment.utf8) else { return .malformed }
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
            node.parameter = (node.parameter?.0 ?? String(segment.dropFirst().dropLast()), Box(next))
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
