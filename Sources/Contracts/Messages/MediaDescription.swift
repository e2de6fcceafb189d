/// The description of a picture in words, for people who do not see it.
package enum MediaDescription {
    static let schema = Schema<String>.string(0...1500).described(
        "What the picture shows, for people who do not see it. White space at the beginning and at the end is removed, "
            + "CR LF becomes LF, and a text without visible characters becomes `null`.")

    /// The shape for the documentation.
    package static let shape = schema.shape

    /// Reads the header `description` of an upload. The length is that of the normalized text, because browsers send
    /// CR LF for each line break in a form.
    ///
    /// - Returns: the normalized description; `nil` if it has no visible text.
    /// - Throws: `invalid` if the text is too long or contains U+0000.
    package static func parse(_ text: String) throws(Problem) -> String? {
        do throws(ValidationError) {
            return visible(try schema.decode(.string(normalized(text))))
        } catch {
            throw Problem.invalid(
                "/description", error.faults.first?.message ?? "must have at most 1500 characters")
        }
    }

    /// Returns a description without white space around it and with LF as its line breaks; `nil` if it has no visible
    /// text.
    package static func visible(_ text: String?) -> String? {
        guard let text, !text.isBlank else { return nil }
        return normalized(text)
    }

    private static func normalized(_ text: String) -> String {
        let text = text.replacing("\r\n", with: "\n")
        guard let first = text.firstIndex(where: { !$0.isWhitespace }),
            let last = text.lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(text[first...last])
    }
}
