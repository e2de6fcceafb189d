internal import Contracts
internal import Crypto
internal import FoundationEssentials

/// The page `/docs`, on which a person reads and tries the API. It is made from the OpenAPI document, and so from the
/// route table and the contracts. It needs no other file, and without JavaScript it can still be read.
struct DocumentationPage: Sendable {
    /// The HTML document.
    let html: [UInt8]
    /// The `Content-Security-Policy` that allows the page its own style sheet, its own script, and requests to its own
    /// server.
    let contentSecurityPolicy: String

    private static let style = String(decoding: PackageResources.documentation_css, as: UTF8.self)
    private static let script = String(decoding: PackageResources.documentation_js, as: UTF8.self)

    /// - Parameter document: an OpenAPI document.
    init(of document: JSON) {
        let hashes = [Self.style, Self.script].map { text in
            "'sha256-\(Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString())'"
        }
        contentSecurityPolicy =
            "default-src 'none'; style-src \(hashes[0]); script-src \(hashes[1]); connect-src 'self'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        var page = HTMLWriter()
        page.raw(
            """
            <!DOCTYPE html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Warren API</title>
            <style>\(Self.style)</style>
            <a class="skip" href="#operations">Skip to the operations</a>
            <header><h1>Warren API</h1><p>
            """)
        page.markup(document["info"]?["description"]?.string ?? "")
        page.raw(
            """
            </p><p>The contract for programs: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p></header>
            <form id="session"><label for="token">Access token</label>
            <input id="token" autocomplete="off" spellcheck="false" aria-describedby="token-note">
            <p id="token-note" class="muted" aria-live="polite">Register or log in below, and the token is filled in.
            The page does not store it.</p></form>
            <main id="operations">
            """)
        for tag in document["tags"]?.array ?? [] {
            guard let name = tag["name"]?.string else { continue }
            page.raw("<h2>")
            page.text(tag["description"]?.string ?? name)
            page.raw("</h2>\n")
            for operation in Operation.all(of: document, tag: name) { operation.write(to: &page) }
        }
        page.raw("</main>\n<script>\(Self.script)</script>\n</html>\n")
        html = Array(page.html.utf8)
    }
}

/// Writes HTML. Texts are escaped.
struct HTMLWriter {
    private(set) var html = ""

    /// Appends HTML.
    mutating func raw(_ text: String) { html += text }

    /// Appends a text, also inside an attribute in double quotes.
    mutating func text(_ text: String) {
        for character in text.unicodeScalars {
            switch character {
            case "&": html += "&amp;"
            case "<": html += "&lt;"
            case ">": html += "&gt;"
            case "\"": html += "&quot;"
            default: html.unicodeScalars.append(character)
            }
        }
    }

    /// Appends a text in which code is enclosed by backquotes.
    mutating func markup(_ text: String) {
        for (index, part) in text.split(separator: "`", omittingEmptySubsequences: false).enumerated() {
            if index % 2 == 1 { raw("<code>") }
            self.text(String(part))
            if index % 2 == 1 { raw("</code>") }
        }
    }
}
