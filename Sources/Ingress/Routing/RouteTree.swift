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
        /// The request asks for the methods of the path. `allow` is the value of the `Allow` field; `acceptsPatch`
        /// tells whether a resource with this path supports PATCH.
        case options(allow: String, acceptsPatch: Bool)
        /// The path has routes, but none for the method. `allow` is the value of the `Allow` field.
        case methodNotAllowed(allow: String)
        /// The path ends with a slash, and has routes without it.
        case trailingSlash(path: Substring)
        /// A parameter in the path is not percent-encoded UTF-8.
        case malformedPath
    }

    /// A position in the tree.
    private final class Node: Sendable {
        /// A route and the segments of its path that follow the node.
        typealias Branch = (route: Route, segments: ArraySlice<Substring>)

        let literals: [String: Node]
        let parameter: (name: String, node: Node)?
        /// The routes whose paths end here.
        let routes: [Route]
        /// The methods of these routes, as in the `Allow` field.
        let allow: String

        init(_ branches: [Branch]) {
            routes = branches.filter { $0.segments.isEmpty }.map(\.route)
            allow = RouteTree.allow(routes)
            var literals: [String: [Branch]] = [:]
            var parameter: (name: String, branches: [Branch])?
            for (route, segments) in branches {
                guard let segment = segments.first else { continue }
                let branch = (route, segments.dropFirst())
                if segment.hasPrefix("{"), segment.hasSuffix("}") {
                    let name = String(segment.dropFirst().dropLast())
                    parameter = (parameter?.name ?? name, (parameter?.branches ?? []) + [branch])
                } else {
                    literals[String(segment), default: []].append(branch)
                }
            }
            self.literals = literals.mapValues { Node($0) }
            self.parameter = parameter.map { ($0.name, Node($0.branches)) }
        }
    }

    private let root: Node
    /// The methods of all routes, as in the `Allow` field.
    private let allow: String

    /// Builds the tree. If two routes have the same method and path, the first one is used.
    init(_ routes: [Route]) {
        allow = Self.allow(routes)
        root = Node(
            routes.map { ($0, $0.path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)[...]) })
    }

    private static func allow(_ routes: [Route]) -> String {
        var methods = Set(routes.map(\.method.rawValue) + ["OPTIONS"])
        if methods.contains("GET") { methods.insert("HEAD") }
        return methods.sorted().joined(separator: ", ")
    }

    /// Returns the route that matches a method and a path.
    ///
    /// - Parameters:
    ///   - method: the request's method; HEAD matches the routes for GET.
    ///   - path: the path as sent, without the query.
    func match(_ method: HTTPRequest.Method, _ path: Substring) -> Match {
        // The target of OPTIONS can be the server as a whole (RFC 9110, section 9.3.7).
        if method == .options, path == "*" { return .options(allow: allow, acceptsPatch: false) }
        guard path.utf8.first == UInt8(ascii: "/") else { return .notFound }
        let match = matchExactly(method, path)
        guard case .notFound = match, path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") else { return match }
        let shorter = Substring(path.utf8.dropLast())
        switch matchExactly(method, shorter) {
        case .notFound, .trailingSlash: return .notFound
        case .malformedPath: return .malformedPath
        case .route, .options, .methodNotAllowed: return .trailingSlash(path: shorter)
        }
    }

    /// Returns the route that matches a method and a path that begins with a slash.
    private func matchExactly(_ method: HTTPRequest.Method, _ path: Substring) -> Match {
        var node = root
        var parameters: [Parameter] = []
        for segment in path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if let next = node.literals[String(Substring(segment))] {
                node = next
            } else if let (name, next) = node.parameter, !segment.isEmpty {
                guard let value = PercentEncoding.decode(segment) else { return .malformedPath }
                parameters.append(Parameter(name: name, value: value))
                node = next
            } else {
                return .notFound
            }
        }
        guard !node.routes.isEmpty else { return .notFound }
        let wanted = method == .head ? .get : method
        guard let route = node.routes.first(where: { $0.method == wanted }) else {
            guard method == .options else { return .methodNotAllowed(allow: node.allow) }
            return .options(allow: node.allow, acceptsPatch: node.routes.contains { $0.method == .patch })
        }
        return .route(route, parameters)
    }
}
