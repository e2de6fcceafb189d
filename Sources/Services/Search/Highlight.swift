/// Turns a headline with marks in it into HTML that is safe to put in a page.
enum Highlight {
    /// Escapes what HTML gives a meaning to, and puts `<mark>` elements where the marks are.
    static func html(_ headline: String) -> String {
        var html = ""
        html.reserveCapacity(headline.utf8.count + 32)
        for character in headline.unicodeScalars {
            switch character {
            case "&": html += "&amp;"
            case "<": html += "&lt;"
            case ">": html += "&gt;"
            case "\"": html += "&quot;"
            case "'": html += "&#39;"
            case SearchStatements.markStart: html += "<mark>"
            case SearchStatements.markEnd: html += "</mark>"
            default: html.unicodeScalars.append(character)
            }
        }
        return html
    }
}
