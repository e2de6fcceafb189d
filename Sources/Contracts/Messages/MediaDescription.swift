/// The description of a picture in words, for people who do not see it.
package enum MediaDescription {
    private static let bounded = Schema<String>.string(0...1500)

    /// A description. Its line breaks and the white space around it are normalized before its length is checked.
    static let schema = Schema<String>(
        shape: bounded.shape,
        read: { json, faults in bounded.read(json.string.map { .string(normalized($0)) } ?? json, &faults) },
        write: bounded.write
    ).described(
        "What the picture shows, for people who do not see it. White space at the beginning and at the end is removed, "
            + "and CR LF becomes LF. The remaining text has up to 1,500 code points. A text of nothing but white space "
            + "and invisible characters becomes `null`.")

    /// The shape for the documentation.
    package static let shape = schema.shape

    /// Reads the header `description` of an upload.
    ///
    /// - Returns: the normalized description; `nil` if it has no visible text.
    /// - Throws: `invalid` if the text is too long or contains U+0000.
    package static func parse(_ text: String) throws(Problem) -> String? {
        do throws(ValidationError) {
            return visible(try schema.decode(.string(text)))
        } catch {
            throw Problem.invalid(
                "/description", error.faults.first?.message ?? "must have at most 1500 characters")
        }
    }

    /// Returns a normalized description; `nil` if it has no visible text.
    package static func visible(_ text: String?) -> String? {
        text?.isBlank == false ? text : nil
    }

    /// Returns a text with LF as its line breaks, as the user typed them: browsers send CR LF in forms. White space at
    /// the beginning and at the end is removed.
    private static func normalized(_ text: String) -> String {
        let text = text.replacing("\r\n", with: "\n")
        guard let first = text.firstIndex(where: { !$0.isWhitespace }),
            let last = text.lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(text[first...last])
    }
}
