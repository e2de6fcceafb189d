internal import Contracts

extension DocumentationPage {
    /// An operation of an OpenAPI document, as a part of the page that can be opened.
    struct Operation {
        private let document: JSON
        private let method: String
        private let path: String
        private let operation: JSON

        /// Returns the operations with a tag, in the order of the document.
        static func all(of document: JSON, tag: String) -> [Operation] {
            guard case .object(let paths)? = document["paths"] else { return [] }
            return paths.members.flatMap { path in
                guard case .object(let methods) = path.value else { return [] as [Operation] }
                return methods.members.filter { $0.value["tags"]?.array?.contains(.string(tag)) == true }.map {
                    Operation(document: document, method: $0.name.uppercased(), path: path.name, operation: $0.value)
                }
            }
        }

        func write(to page: inout HTMLWriter) {
            let needsToken = !(operation["security"]?.array ?? []).isEmpty
            page.raw("<details id=\"\(id)\"><summary><span class=\"method\">\(method)</span> <code>\(path)</code> ")
            page.text(operation["summary"]?.string ?? "")
            page.raw("</summary>\n<p class=\"muted\">")
            page.markup(operation["description"]?.string ?? "")
            page.raw(needsToken ? " Needs the access token.</p>\n" : "</p>\n")
            let body = bodyKind
            page.raw("<form data-method=\"\(method)\" data-path=\"\(path)\" data-body=\"\(body)\"")
            page.raw(needsToken ? " data-token=\"yes\">\n" : ">\n")
            for parameter in operation["parameters"]?.array ?? [] { write(resolve(parameter), to: &page) }
            writeBody(body, to: &page)
            page.raw("<button>Send</button></form>\n")
            page.raw("<h3>With curl</h3>\n<pre class=\"curl\" tabindex=\"0\">")
            page.text("curl -i \(method == "GET" ? "" : "-X \(method) ")http://127.0.0.1:8080\(path)")
            page.raw("</pre>\n<h3>Answer</h3>\n<pre tabindex=\"0\"><output>Nothing was sent yet.</output></pre>\n")
            writeResponses(to: &page)
            page.raw("</details>\n")
        }

        private var id: String { operation["operationId"]?.string ?? "" }

        private var bodyKind: String {
            guard case .object(let content)? = operation["requestBody"]?["content"] else { return "none" }
            return content.members.contains { $0.name == ContentType.json } ? "json" : "file"
        }

        /// Follows a reference to a shared part of the document.
        private func resolve(_ json: JSON) -> JSON {
            guard let reference = json["$ref"]?.string else { return json }
            return reference.dropFirst(2).split(separator: "/").reduce(document) { $0[String($1)] ?? .null }
        }

        private func write(_ parameter: JSON, to page: inout HTMLWriter) {
            guard let name = parameter["name"]?.string, let place = parameter["in"]?.string else { return }
            let field = "\(id)-\(name)"
            let isRequired = parameter["required"] == true
            page.raw("<label for=\"\(field)\">\(name)\(isRequired ? "" : " <span class=\"muted\">(optional)</span>")")
            page.raw("</label>\n<input id=\"\(field)\" name=\"\(name)\" data-in=\"\(place)\" autocomplete=\"off\"")
            page.raw("\(isRequired ? " required" : "") aria-describedby=\"\(field)-note\">\n")
            page.raw("<span id=\"\(field)-note\" class=\"muted\">")
            page.markup(parameter["description"]?.string ?? "")
            page.raw("</span>\n")
        }

        private func writeBody(_ kind: String, to page: inout HTMLWriter) {
            switch kind {
            case "json":
                let content = operation["requestBody"]?["content"]?[ContentType.json]
                page.raw("<label for=\"\(id)-body\">Body</label>\n")
                page.raw("<textarea id=\"\(id)-body\" data-in=\"body\" spellcheck=\"false\" required>")
                page.text(content?["example"]?.pretty() ?? "")
                page.raw("</textarea>\n")
                writeSchema("Rules for the body", content?["schema"], to: &page)
            case "file":
                page.raw("<label for=\"\(id)-file\">file</label>\n")
                page.raw("<input id=\"\(id)-file\" type=\"file\" data-in=\"file\" accept=\"image/*\" required>\n")
                page.raw("<span class=\"muted\">")
                page.markup(operation["requestBody"]?["description"]?.string ?? "")
                page.raw("</span>\n")
            default: break
            }
        }

        private func writeResponses(to page: inout HTMLWriter) {
            guard case .object(let responses)? = operation["responses"] else { return }
            page.raw("<h3>Possible answers</h3>\n<dl>\n")
            for response in responses.members {
                page.raw("<dt>\(response.name)</dt><dd>")
                page.markup(response.value["description"]?.string ?? "")
                let schema = response.value["content"]?[ContentType.json]?["schema"]
                if response.name.hasPrefix("2") { writeSchema("Rules for the answer", schema, to: &page) }
                page.raw("</dd>\n")
            }
            page.raw("</dl>\n")
        }

        private func writeSchema(_ title: String, _ schema: JSON?, to page: inout HTMLWriter) {
            guard let schema else { return }
            page.raw("<details><summary>\(title) (JSON Schema)</summary><pre tabindex=\"0\">")
            page.text(resolve(schema).pretty())
            page.raw("</pre></details>\n")
        }
    }
}
