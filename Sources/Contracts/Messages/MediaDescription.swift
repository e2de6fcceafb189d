/// The description of a picture in words, for people who do not see it.
package enum MediaDescription {
    static let schema = Schema<String>.string(0...1500).described(
        "What the picture shows, for people who do not see it. White space at the beginning and at the end is removed.")

    /// The shape for the documentation.
    package static let shape = schema.shape

    /// Reads the header `description` of an upload.
    ///
    /// - Returns: the description without white space around it; `nil` if there is no other text.
    /// - Throws: `invalid` if the text is too long or contains U+0000.
    package static func parse(_ text: String) throws(Problem) -> String? {
        do throws(ValidationError) {
            return trimmed(try schema.decode(.string(text)))
        } catch {
            throw Problem.invalid(
                "/description", error.faults.first?.message ?? "must have at most 1500 characters")
        }
    }

    /// Returns a description without white space around it; `nil` if there is no other text.
    package static func trimmed(_ text: String?) -> String? {
        guard let text, let first = text.firstIndex(where: { !$0.isWhitespace }),
            let last = text.lastIndex(where: { !$0.isWhitespace })
        else { return nil }
        return String(text[first...last])
    }
}
