import Contracts
import HTTPTypes
import Testing

@testable import Ingress

@Suite("The OpenAPI document is the HTTP contract")
struct OpenAPITests {
    private let document = OpenAPI.document

    @Test("every route is an operation, and every operation a route")
    func operations() throws {
        guard case .object(let paths)? = document["paths"] else { throw Missing() }
        var operations: [String] = []
        for path in paths.members {
            guard case .object(let item) = path.value else { throw Missing() }
            operations += item.members.map { "\($0.name.uppercased()) \(path.name)" }
        }
        #expect(operations.sorted() == RouteTable.all.map { "\($0.method.rawValue) \($0.path)" }.sorted())
    }

    @Test("every operation has a name of its own")
    func names() throws {
        let names = try RouteTable.all.map { try #require(try operation($0)["operationId"]?.string) }
        #expect(Set(names).count == names.count)
    }

    @Test("what needs a caller says so, and has a 401 for those who are none", arguments: RouteTable.all.map(\.path))
    func security(path: String) throws {
        for route in RouteTable.all where route.path == path {
            guard case .message(let message, _) = route.action else { continue }
            let operation = try operation(route)
            #expect(operation["security"] == (message.needsSubject ? [["bearer": []]] : []))
            if message.needsSubject {
                #expect(operation["responses"]?["401"]?["headers"]?["WWW-Authenticate"] != nil)
            }
        }
    }

    @Test("a command takes an Idempotency-Key, and may be answered 202 with a Location; nothing else does")
    func commands() throws {
        for route in RouteTable.all {
            guard case .message(let message, _) = route.action else { continue }
            let operation = try operation(route)
            let references = (operation["parameters"]?.array ?? []).compactMap { $0["$ref"]?.string }
            #expect(references.contains("#/components/parameters/IdempotencyKey") == (message.kind == .command))
            #expect((operation["responses"]?["202"]?["headers"]?["Location"] != nil) == (message.kind == .command))
        }
    }

    @Test("what is limited says 429 with a Retry-After, what may be away 503")
    func waiting() throws {
        for route in RouteTable.all {
            guard case .message = route.action else { continue }
            for status in ["429", "503"] {
                #expect(try operation(route)["responses"]?[status]?["headers"]?["Retry-After"] != nil)
            }
        }
    }

    @Test("the parameters of a list have the bounds of its schema")
    func bounds() throws {
        let route = try #require(RouteTable.all.first { $0.path == "/v1/posts" && $0.method == .get })
        let parameters = try #require(try operation(route)["parameters"]?.array)
        let limit = try #require(parameters.first { $0["name"] == "limit" })
        #expect(limit["schema"] == ["type": "integer", "minimum": 1, "maximum": 100, "default": 10])
        #expect(limit["in"] == "query")
        #expect(limit["required"] == false)
    }

    @Test("every reference leads somewhere")
    func references() {
        for reference in Self.references(in: document) {
            let place = reference.dropFirst(2).split(separator: "/")
            #expect(place.reduce(document) { $0?[String($1)] } != nil, "\(reference)")
        }
    }

    @Test("two things that have the same name are the same")
    func objects() {
        let names = OpenAPI.objects.map(\.name)
        #expect(Set(names).count == names.count)
    }

    @Test("the examples are what the services take and give")
    func examples() throws {
        for message in Messages.all {
            if let example = OpenAPIExamples.requests[message.name] {
                #expect(Self.takes(message.name, example.serialized()), "\(message.name)")
            }
        }
        for route in RouteTable.all {
            guard case .message(let message, let source) = route.action else { continue }
            #expect((source == .json) == (OpenAPIExamples.requests[message.name] != nil), "\(message.name)")
            #expect((message.reply != nil) == (OpenAPIExamples.replies[message.name] != nil), "\(message.name)")
        }
        _ = try Session.schema.decode(try #require(OpenAPIExamples.replies["identity.login"]))
        _ = try Post.schema.decode(try #require(OpenAPIExamples.replies["post.get"]))
        _ = try Post.pageSchema.decode(try #require(OpenAPIExamples.replies["post.list"]))
        _ = try Media.schema.decode(try #require(OpenAPIExamples.replies["media.get"]))
        _ = try Media.pageSchema.decode(try #require(OpenAPIExamples.replies["media.list"]))
        _ = try SearchHit.pageSchema.decode(try #require(OpenAPIExamples.replies["search.posts"]))
        _ = try Receipt.schema.decode(try #require(OpenAPIExamples.replies["post.receipt"]))
    }

    private struct Missing: Error {}

    private func operation(_ route: Route) throws -> JSON {
        try #require(document["paths"]?[route.path]?[route.method.rawValue.lowercased()])
    }

    private static func takes(_ type: String, _ body: [UInt8]) -> Bool {
        switch type {
        case "identity.register": (try? Messages.Identity.register.request.decode(body)) != nil
        case "identity.login": (try? Messages.Identity.login.request.decode(body)) != nil
        case "identity.refresh": (try? Messages.Identity.refresh.request.decode(body)) != nil
        case "identity.logout": (try? Messages.Identity.logout.request.decode(body)) != nil
        case "identity.change-password": (try? Messages.Identity.changePassword.request.decode(body)) != nil
        case "post.create": (try? Messages.Post.create.request.decode(body)) != nil
        default: false
        }
    }

    private static func references(in json: JSON) -> [String] {
        switch json {
        case .object(let object):
            object.members.flatMap { member in
                member.name == "$ref" ? [member.value.string ?? ""] : references(in: member.value)
            }
        case .array(let elements): elements.flatMap(references(in:))
        default: []
        }
    }
}
