import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import Ingress

@Suite("GET / and the documentation page")
struct DocumentationTests {
    private let page = DocumentationPage(of: OpenAPI.document)
    private var html: String { String(decoding: page.html, as: UTF8.self) }

    @Test("GET / names the service and its contract, and all addresses in it are served without a token")
    func root() async throws {
        try await RunningIngress.with { ingress in
            let client = try ingress.client()
            let response = try client.call("GET", "/")
            #expect(response.status == 200)
            #expect(response.fields["content-type"] == "application/json")
            #expect(response.json?["name"] == "Warren")
            #expect(response.json?["contract"] == "/openapi.json")
            for name in ["contract", "documentation", "health"] {
                let path = try #require(response.json?[name]?.string)
                #expect(try client.call("GET", path).status == 200, "\(path)")
            }
            #expect(try client.call("POST", "/").status == 405)
        }
    }

    @Test("GET /docs is an HTML page that may run only its own script and talk only to its own server")
    func security() async throws {
        try await RunningIngress.with { ingress in
            let client = try ingress.client()
            let response = try client.call("GET", "/docs")
            #expect(response.status == 200)
            #expect(response.fields["content-type"] == "text/html; charset=utf-8")
            let policy = try #require(response.fields["content-security-policy"])
            for part in ["default-src 'none'", "script-src 'sha256-", "style-src 'sha256-", "connect-src 'self'"] {
                #expect(policy.contains(part))
            }
            #expect(!policy.contains("unsafe"))
            #expect(response.fields["x-frame-options"] == "DENY")
            #expect(String(decoding: response.body, as: UTF8.self).contains("<h1>Warren API</h1>"))
            let tag = try #require(response.fields["etag"])
            #expect(try client.call("GET", "/docs", fields: ["If-None-Match": tag]).status == 304)
            // Only the page has a policy of its own.
            #expect(
                try client.call("GET", "/").fields["content-security-policy"]
                    == "default-src 'none'; frame-ancestors 'none'")
        }
    }

    @Test("the page has a form for each route, with a labelled field for each parameter", arguments: RouteTable.all)
    func forms(route: Route) throws {
        let operation = try #require(
            OpenAPI.document["paths"]?[route.path]?[route.method.rawValue.lowercased()])
        let id = try #require(operation["operationId"]?.string)
        let start = try #require(html.range(of: "<details id=\"\(id)\">"))
        let rest = html[start.upperBound...]
        let part = rest[..<(rest.range(of: "<details id=")?.lowerBound ?? rest.endIndex)]
        #expect(part.contains("data-method=\"\(route.method.rawValue)\" data-path=\"\(route.path)\""))
        guard case .message(let message, let source) = route.action else { return }
        #expect(part.contains("data-token=\"yes\"") == message.needsCaller)
        #expect(part.contains("<textarea") == source.hasJSONBody)
        #expect(part.contains("type=\"file\"") == (source == .upload))
        #expect(part.contains("data-session=\"yes\"") == (message.reply == Session.schema.shape))
        let schema = operation["requestBody"]?["content"]?["multipart/form-data"]?["schema"]
        if case .object(let parts)? = schema?["properties"] {
            for name in parts.members.map(\.name) {
                #expect(part.contains("<label for=\"\(id)-\(name)\">"))
                #expect(part.contains("<input id=\"\(id)-\(name)\" name=\"\(name)\""))
            }
        }
        for parameter in operation["parameters"]?.array ?? [] {
            let reference = parameter["$ref"]?.string?.dropFirst(2).split(separator: "/")
            let resolved = reference?.reduce(OpenAPI.document) { $0[String($1)] ?? .null } ?? parameter
            let name = try #require(resolved["name"]?.string)
            #expect(part.contains("<label for=\"\(id)-\(name)\">"))
            #expect(part.contains("<input id=\"\(id)-\(name)\" name=\"\(name)\""))
        }
    }

    @Test("the page loads nothing from another server, and no text can end a tag or the script")
    func selfContained() {
        #expect(!html.contains(" src="))
        #expect(!html.contains("<link"))
        #expect(html.components(separatedBy: "<script>").count == 2)
        #expect(html.components(separatedBy: "</script>").count == 2)
        var writer = HTMLWriter()
        writer.text("<b a=\"x\">&amp;</b>")
        writer.markup("a `<code>` b")
        #expect(writer.html == "&lt;b a=&quot;x&quot;&gt;&amp;amp;&lt;/b&gt;a <code>&lt;code&gt;</code> b")
    }
}
