/// The entity tags of an `If-None-Match` field (RFC 9110, section 13.1.2).
enum EntityTags {
    /// Whether a field names a tag, by weak comparison; a field that is none names nothing.
    ///
    /// - Parameters:
    ///   - field: tags separated by commas, or `*`, which names every tag.
    ///   - tag: a tag as the `ETag` field has it, quotes included.
    static func names(_ field: String, _ tag: String) -> Bool {
        if FieldText.trimmed(field[...]) == "*" { return true }
        let wanted = opaque(Array(tag.utf8)[...])
        var rest = Array(field.utf8)[...]
        var isNamed = false
        while true {
            rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: ",") }
            if rest.isEmpty { return isNamed }
            guard let candidate = opaque(rest) else { return false }
            if candidate == wanted { isNamed = true }
            rest = rest[candidate.endIndex...].drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard rest.isEmpty || rest.first == UInt8(ascii: ",") else { return false }
        }
    }

    /// The quoted part of the tag that a text begins with: in weak comparison a `W/` before it says nothing.
    private static func opaque(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let tag = text.starts(with: "W/".utf8) ? text.dropFirst(2) : text
        guard tag.first == UInt8(ascii: "\""), let end = tag.dropFirst().firstIndex(of: UInt8(ascii: "\"")) else {
            return nil
        }
        let inside = tag[(tag.startIndex + 1)..<end]
        guard inside.allSatisfy({ $0 == 0x21 || (0x23...0x7E).contains($0) || $0 >= 0x80 }) else { return nil }
        return tag[...end]
    }
}
