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
            page.raw("</summary>\n")
            // The last paragraph says how the request is handled, which few readers need.
            let paragraphs = (operation["description"]?.string ?? "").split(separator: "\n\n").map(String.init)
            for text in paragraphs.dropLast() + (needsToken ? ["Needs the access token."] : []) {
                writeNote(text, to: &page)
            }
            let body = bodyKind
            page.raw("<form data-method=\"\(method)\" data-path=\"\(path)\" data-body=\"\(body)\"")
            page.raw("\(needsToken ? " data-token=\"yes\"" : "")\(returnsSession ? " data-session=\"yes\"" : "")>\n")
            for parameter in operation["parameters"]?.array ?? [] { write(resolve(parameter), to: &page) }
            writeBody(body, to: &page)
            page.raw("<button>Send</button></form>\n")
            page.raw("<h3>With curl</h3>\n<pre class=\"curl\" tabindex=\"0\">")
            page.text("curl -i \(method == "GET" ? "" : "-X \(method) ")http://127.0.0.1:8080\(path)")
            // Screen readers announce a change of `output`, so it has only the status.
            page.raw("</pre>\n<h3>Received response</h3>\n<p><output>No request sent yet.</output></p>\n")
            page.raw("<pre class=\"response\" tabindex=\"0\" hidden></pre>\n")
            writeResponses(to: &page)
            if let text = paragraphs.last { writeNote(text, to: &page) }
            page.raw("</details>\n")
        }

        private var id: String { operation["operationId"]?.string ?? "" }

        private var bodyKind: String {
            guard case .object(let content)? = operation["requestBody"]?["content"] else { return "none" }
            return content.members.contains { $0.name == ContentType.json } ? "json" : "form"
        }

        /// Whether a successful response has an access token.
        private var returnsSession: Bool {
            guard case .object(let responses)? = operation["responses"] else { return false }
            return responses.members.contains { response in
                guard let schema = response.value["content"]?[ContentType.json]?["schema"] else { return false }
                return response.name.hasPrefix("2") && resolve(schema)["properties"]?["accessToken"] != nil
            }
        }

        private func writeNote(_ text: String, to page: inout HTMLWriter) {
            page.raw("<p class=\"muted\">")
            page.markup(text)
            page.raw("</p>\n")
        }

        /// Follows a reference to a shared part of the document.
        private func resolve(_ json: JSON) -> JSON {
            guard let reference = json["$ref"]?.string else { return json }
            return reference.dropFirst(2).split(separator: "/").reduce(document) { $0[String($1)] ?? .null }
        }

        private func write(_ parameter: JSON, to page: inout HTMLWriter) {
            guard let name = parameter["name"]?.string, let place = parameter["in"]?.string else { return }
            writeField(
                name, in: place, isRequired: parameter["required"] == true, parameter["description"], to: &page)
        }

        /// Writes an input field with its label and its description.
        ///
        /// - Parameter attributes: further attributes of the field.
        private func writeField(
            _ name: String, in place: String, isRequired: Bool, _ description: JSON?,
            attributes: String = " autocomplete=\"off\"", to page: inout HTMLWriter
        ) {
            let field = "\(id)-\(name)"
            page.raw("<label for=\"\(field)\">\(name)\(isRequired ? "" : " <span class=\"muted\">(optional)</span>")")
            page.raw("</label>\n<input id=\"\(field)\" name=\"\(name)\" data-in=\"\(place)\"\(attributes)")
            page.raw("\(isRequired ? " required" : "") aria-describedby=\"\(field)-note\">\n")
            page.raw("<span id=\"\(field)-note\" class=\"muted\">")
            page.markup(description?.string ?? "")
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
                writeSchema("Body schema", content?["schema"], to: &page)
            case "form":
                writeNote(operation["requestBody"]?["description"]?.string ?? "", to: &page)
                writeParts(operation["requestBody"]?["content"]?["multipart/form-data"]?["schema"], to: &page)
            default: break
            }
        }

        /// Writes a field for each part of a form.
        private func writeParts(_ schema: JSON?, to page: inout HTMLWriter) {
            guard case .object(let parts)? = schema?["properties"] else { return }
            for part in parts.members {
                let isFile = part.value["format"] == "binary"
                let isRequired = schema?["required"]?.array?.contains(.string(part.name)) == true
                writeField(
                    part.name, in: isFile ? "file" : "part", isRequired: isRequired, part.value["description"],
                    attributes: isFile ? " type=\"file\" accept=\"image/*\"" : " autocomplete=\"off\"", to: &page)
            }
        }

        private func writeResponses(to page: inout HTMLWriter) {
            guard case .object(let responses)? = operation["responses"] else { return }
            page.raw("<h3>Responses</h3>\n<dl>\n")
            for response in responses.members {
                page.raw("<dt>\(response.name)</dt><dd>")
                page.markup(response.value["description"]?.string ?? "")
                let schema = response.value["content"]?[ContentType.json]?["schema"]
                if response.name.hasPrefix("2") { writeSchema("Response schema", schema, to: &page) }
                page.raw("</dd>\n")
            }
            page.raw("</dl>\n")
        }

        private func writeSchema(_ title: String, _ schema: JSON?, to page: inout HTMLWriter) {
            guard let schema else { return }
            page.raw("<details><summary>\(title)</summary><pre tabindex=\"0\">")
            page.text(resolve(schema).pretty())
            page.raw("</pre></details>\n")
        }
    }
}
