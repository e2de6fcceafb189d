internal import Contracts

/// The content type of a JSON body.
enum JSONType {
    /// Checks that a field says `application/json`, in UTF-8 where it says a character set (RFC 8259, section 8.1).
    static func check(_ field: String?) throws(Problem) {
        guard let field, accepts(field) else {
            throw Problem(.unsupportedMediaType, detail: "The content type must be application/json.")
        }
    }

    private static func accepts(_ field: String) -> Bool {
        if field == ContentType.json { return true }
        guard field.utf8.count <= 256 else { return false }
        let parts = field.lowercased().split(separator: ";", omittingEmptySubsequences: false).map(FieldText.trimmed)
        guard let type = parts.first, type == ContentType.json else { return false }
        return parts.dropFirst().allSatisfy { part in
            part.isEmpty || part == "charset=utf-8" || part == "charset=\"utf-8\""
        }
    }
}
