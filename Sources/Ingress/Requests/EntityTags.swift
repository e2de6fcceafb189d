internal import ASCII

/// The `If-None-Match` field (RFC 9110, section 13.1.2).
enum EntityTags {
    /// Returns whether a field matches a tag by weak comparison. A malformed field matches no tag.
    ///
    /// - Parameters:
    ///   - tag: a tag in the form of the `ETag` field, with its quotes.
    ///   - field: tags separated by commas, or `*`, which matches every tag.
    static func contains(_ tag: String, in field: String) -> Bool {
        if field.utf8.trimmingBlanks.elementsEqual("*".utf8) { return true }
        let wanted = opaqueTag(Array(tag.utf8)[...])
        var rest = Array(field.utf8)[...]
        var isFound = false
        while true {
            rest = rest.drop { $0.isBlank || $0 == UInt8(ascii: ",") }
            if rest.isEmpty { return isFound }
            guard let candidate = opaqueTag(rest) else { return false }
            if candidate == wanted { isFound = true }
            rest = rest[candidate.endIndex...].drop(while: \.isBlank)
            guard rest.isEmpty || rest.first == UInt8(ascii: ",") else { return false }
        }
    }

    /// Returns the quoted part of the tag at the beginning of a text; `nil` if the text does not begin with a tag. Weak
    /// comparison ignores the prefix `W/`.
    private static func opaqueTag(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let tag = text.starts(with: "W/".utf8) ? text.dropFirst(2) : text
        guard tag.first == UInt8(ascii: "\""), let end = tag.dropFirst().firstIndex(of: UInt8(ascii: "\"")) else {
            return nil
        }
        let inside = tag[(tag.startIndex + 1)..<end]
        guard inside.allSatisfy({ $0 == 0x21 || (0x23...0x7E).contains($0) || $0 >= 0x80 }) else { return nil }
        return tag[...end]
    }
}
