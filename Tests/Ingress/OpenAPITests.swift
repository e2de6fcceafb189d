import Contracts
import HTTPTypes
import Testing

@testable import Ingress

@Suite("OpenAPI document")
struct OpenAPITests {
    /// The message types without a route. Clients can send them only through the broker.
    private static let queueOnly: Set<String> = []

    private let document = OpenAPI.document

    @Test("each message type has exactly one route, unless it is listed in queueOnly", arguments: Messages.descriptors)
    func routes(message: MessageDescriptor) {
        let count = RouteTable.all.count { route in
            if case .message(message, _) = route.action { true } else { false }
        }
        let expected = Self.queueOnly.contains(message.name) ? 0 : 1
        #expect(count == expected, "\(message.name) has \(count) routes in RouteTable, expected \(expected)")
    }

    @Test("the OpenAPI document has an operation for each route and no others")
    func operations() throws {
        guard case .object(let paths)? = document["paths"] else { throw Missing() }
        var operations: [String] = []
        for path in paths.members {
            guard case .object(let item) = path.value else { throw Missing() }
            operations += item.members.map { "\($0.name.uppercased()) \(path.name)" }
        }
        #expect(operations.sorted() == RouteTable.all.map { "\($0.method.rawValue) \($0.path)" }.sorted())
    }

    @Test("every operation of the OpenAPI document has a unique operationId")
    func names() throws {
        let names = try RouteTable.all.map { try #require(try operation($0)["operationId"]?.string) }
        #expect(Set(names).count == names.count)
    }

    @Test(
        "an operation that needs an account has the security scheme bearer and a 401 response, and no other has bearer",
        arguments: RouteTable.all.map(\.path))
    func security(path: String) throws {
        for route in RouteTable.all where route.path == path {
            guard case .message(let message, _) = route.action else { continue }
            let operation = try operation(route)
            #expect(operation["security"] == (message.needsCaller ? [["bearer": []]] : []))
            if message.needsCaller {
                #expect(operation["responses"]?["401"]?["headers"]?["WWW-Authenticate"] != nil)
            }
        }
    }

    @Test("only the operations of commands have the parameter Idempotency-Key and a 202 response with a Location")
    func commands() throws {
        for route in RouteTable.all {
            guard case .message(let message, _) = route.action else { continue }
            let operation = try operation(route)
            let references = (operation["parameters"]?.array ?? []).compactMap { $0["$ref"]?.string }
            #expect(references.contains("#/components/parameters/IdempotencyKey") == (message.kind == .command))
            #expect((operation["responses"]?["202"]?["headers"]?["Location"] != nil) == (message.kind == .command))
        }
    }

    @Test("an operation that sends a message has 429 and 503 responses with Retry-After")
    func waiting() throws {
        for route in RouteTable.all {
            guard case .message = route.action else { continue }
            for status in ["429", "503"] {
                #expect(try operation(route)["responses"]?[status]?["headers"]?["Retry-After"] != nil)
            }
        }
    }

    @Test("the parameter limit of post.list has the bounds and the default of its schema in the OpenAPI document")
    func bounds() throws {
        let route = try #require(RouteTable.all.first { $0.path == "/v1/posts" && $0.method == .get })
        let parameters = try #require(try operation(route)["parameters"]?.array)
        let limit = try #require(parameters.first { $0["name"] == "limit" })
        #expect(limit["schema"] == ["type": "integer", "minimum": 1, "maximum": 100, "default": 10])
        #expect(limit["in"] == "query")
        #expect(limit["required"] == false)
    }

    @Test("a parameter in the path of PATCH /v1/media/{id} is not a member of its body in the OpenAPI document")
    func pathAndBody() throws {
        let route = try #require(RouteTable.all.first { $0.method == .patch })
        let operation = try operation(route)
        let parameters = try #require(operation["parameters"]?.array)
        #expect(parameters.first?["name"] == "id")
        #expect(parameters.first?["in"] == "path")
        let content = operation["requestBody"]?["content"]?["application/json"]
        #expect(content?["example"]?["id"] == nil)
        #expect(content?["example"]?["description"] != nil)
        let schema = document["components"]?["schemas"]?["UpdateMedia"]
        #expect(schema?["properties"]?["id"] == nil)
        #expect(schema?["properties"]?["description"] != nil)
    }

    @Test("PATCH /v1/media/{id} can be conditional: it has If-Match, 412, the new ETag, and no member ifMatch")
    func conditionalPatch() throws {
        let route = try #require(RouteTable.all.first { $0.method == .patch })
        let operation = try operation(route)
        let references = (operation["parameters"]?.array ?? []).compactMap { $0["$ref"]?.string }
        #expect(references.contains("#/components/parameters/IfMatch"))
        #expect(!references.contains("#/components/parameters/IfNoneMatch"))
        #expect(operation["responses"]?["304"] == nil)
        #expect(operation["responses"]?["200"]?["headers"]?["ETag"] != nil)
        #expect(operation["responses"]?["415"]?["headers"]?["Accept-Patch"] != nil)
        #expect(document["components"]?["schemas"]?["UpdateMedia"]?["properties"]?["ifMatch"] == nil)
    }

    @Test("each operation that sends a message has 412, and those with If-Match in the message explain If-None-Match")
    func conditions() throws {
        for route in RouteTable.all {
            guard case .message(_, let source) = route.action else { continue }
            let responses = try operation(route)["responses"]
            #expect(responses?["412"] != nil, "\(route.path)")
            let isExplained = responses?["400"]?["description"]?.string?.contains("If-None-Match must be *") == true
            #expect(isExplained == source.hasEntityTags, "\(route.path)")
            #expect(source.hasEntityTags == (route.method == .patch || route.method == .delete))
        }
        let parameter = document["components"]?["parameters"]?["IfMatch"]?["description"]?.string
        #expect(parameter?.contains("If-None-Match") == false)
    }

    @Test("every reference in the OpenAPI document can be resolved")
    func references() {
        for reference in Self.references(in: document) {
            let path = reference.dropFirst(2).split(separator: "/")
            #expect(path.reduce(document) { $0?[String($1)] } != nil, "\(reference)")
        }
    }

    @Test("no two schemas of the OpenAPI document have the same name")
    func objects() {
        let names = OpenAPI.objects.map(\.name)
        #expect(Set(names).count == names.count)
    }

    @Test("an operation has examples of its JSON request and response bodies", arguments: RouteTable.all.map(\.path))
    func examples(path: String) throws {
        for route in RouteTable.all where route.path == path {
            guard case .message(let message, let source) = route.action else { continue }
            let operation = try operation(route)
            let request = operation["requestBody"]?["content"]?["application/json"]?["example"]
            let hasBody = source.hasJSONBody
            #expect(request == (hasBody ? OpenAPI.bodyExample(route, message) : nil), "\(message.name)")
            #expect(hasBody == (request != nil), "\(message.name) has no example of its body")
            let response = operation["responses"]?[String(message.status)]
            let reply = response?["content"]?["application/json"]?["example"]
            #expect(reply == message.replyExample, "\(message.name)")
            #expect((message.reply != nil) == (reply != nil), "\(message.name) has no example of its response")
        }
    }

    @Test("every parameter in the OpenAPI document has a description")
    func descriptions() throws {
        for route in RouteTable.all {
            for parameter in try operation(route)["parameters"]?.array ?? [] where parameter["$ref"] == nil {
                #expect(parameter["description"] != nil, "\(route.path) \(parameter["name"]?.string ?? "")")
            }
        }
    }

    @Test("the patterns of the OpenAPI document use only what RE2, Rust, Python and ECMAScript share")
    func patterns() throws {
        let patterns = Self.strings(named: "pattern", in: document)
        #expect(patterns.count > 20)
        for pattern in patterns {
            #expect(!pattern.contains("(?"), "look-ahead or a group with an option: \(pattern)")
            for escape in ["\\d", "\\w", "\\s", "\\b", "\\p", "\\1"] {
                #expect(!pattern.contains(escape), "\(pattern)")
            }
        }
    }

    @Test(
        "the receipt of a service has the types of the replies to its commands, and a 202 response has no result",
        arguments: [("post", "Post"), ("media", "Media")])
    func receipts(service: String, reply: String) throws {
        let schemas = try #require(document["components"]?["schemas"])
        let result = try #require(schemas["\(reply)Receipt"]?["properties"]?["result"]?["$ref"]?.string)
        #expect(result == "#/components/schemas/\(reply)ReceiptResult")
        #expect(
            schemas["\(reply)ReceiptResult"]?["properties"]?["body"]?["anyOf"] == [
                ["$ref": .string("#/components/schemas/\(reply)")], ["$ref": "#/components/schemas/Problem"],
                ["type": "null"],
            ])
        let route = try #require(RouteTable.all.first { $0.path == "/v1/receipts/\(service)/{receipt}" })
        let schema = try operation(route)["responses"]?["200"]?["content"]?["application/json"]?["schema"]
        #expect(schema == ["$ref": .string("#/components/schemas/\(reply)Receipt")])
        #expect(schemas["AcceptedReceipt"]?["properties"]?["status"]?["const"] == "accepted")
        #expect(schemas["AcceptedReceipt"]?["properties"]?["result"] == nil)
    }

    @Test("a list has one schema of numbered pages and one of pages after a cursor", arguments: ["Post", "Media"])
    func pages(item: String) throws {
        let route = try #require(
            RouteTable.all.first { $0.path == (item == "Post" ? "/v1/posts" : "/v1/media") && $0.method == .get })
        let schema = try operation(route)["responses"]?["200"]?["content"]?["application/json"]?["schema"]
        let names = ["\(item)Page", "\(item)PageAfterCursor"]
        #expect(schema == ["anyOf": .array(names.map { ["$ref": .string("#/components/schemas/\($0)")] })])
        let schemas = try #require(document["components"]?["schemas"])
        #expect(schemas[names[0]]?["required"]?.array?.contains("totalPages") == true)
        #expect(schemas[names[1]]?["properties"]?["page"] == nil)
    }

    @Test("a server of the OpenAPI document has a variable with a default")
    func servers() throws {
        let servers = try #require(document["servers"]?.array)
        #expect(servers.first?["url"] == "/")
        #expect(servers.contains { $0["url"] == "{address}" && $0["variables"]?["address"]?["default"]?.string != nil })
    }

    private struct Missing: Error {}

    private static func strings(named name: String, in json: JSON) -> [String] {
        switch json {
        case .object(let object):
            object.members.flatMap { member in
                if member.name == name, let text = member.value.string { return [text] }
                return strings(named: name, in: member.value)
            }
        case .array(let elements): elements.flatMap { strings(named: name, in: $0) }
        default: []
        }
    }

    private func operation(_ route: Route) throws -> JSON {
        try #require(document["paths"]?[route.path]?[route.method.rawValue.lowercased()])
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
