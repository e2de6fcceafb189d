internal import ASCII

extension JSON {
    /// Returns the value as a YAML 1.2 document in block style.
    ///
    /// A string is left unquoted only if neither YAML 1.1 nor 1.2 reads it as another type. Other strings are
    /// quoted as in JSON, because YAML 1.2 is a superset of JSON.
    package func yaml() -> String {
        var text = ""
        write(to: &text, indent: "", isInLine: false)
        return text
    }

    /// - Parameter isInLine: whether the first line is the rest of a line that begins with the dash of a sequence.
    private func write(to text: inout String, indent: String, isInLine: Bool) {
        switch self {
        case .object(let object) where isNonemptyContainer:
            for (index, member) in object.members.enumerated() {
                text += (index == 0 && isInLine ? "" : indent) + Self.scalar(member.name) + ":"
                member.value.writeValue(to: &text, indent: indent)
            }
        case .array(let elements) where isNonemptyContainer:
            for (index, element) in elements.enumerated() {
                text += (index == 0 && isInLine ? "" : indent) + "- "
                element.write(to: &text, indent: indent + "  ", isInLine: true)
            }
        default: text += inline + "\n"
        }
    }

    /// Writes the value of a key, after its colon.
    private func writeValue(to text: inout String, indent: String) {
        if isNonemptyContainer {
            text += "\n"
            write(to: &text, indent: indent + "  ", isInLine: false)
        } else {
            text += " \(inline)\n"
        }
    }

    /// The value on one line: a scalar, or an empty object or array.
    private var inline: String {
        if case .string(let value) = self { Self.scalar(value) } else { compact }
    }

    private static func scalar(_ value: String) -> String {
        isPlain(value) ? value : JSON.string(value).compact
    }

    private static func isPlain(_ value: String) -> Bool {
        let reservedWords = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        guard let first = value.utf8.first, first.isASCIILetter || first == UInt8(ascii: "$"),
            !reservedWords.contains(value.lowercased())
        else { return false }
        return value.utf8.allSatisfy { $0.isASCIILetterOrDigit || "._/$-+".utf8.contains($0) }
    }
}
