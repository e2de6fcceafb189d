extension JSON {
    /// Returns the value in readable form, with a final line feed.
    ///
    /// Each member begins on a line of its own, indented by two spaces. If an array contains a non-empty object or a
    /// non-empty array, each of its elements begins on a line of its own. Any other array is written on one line.
    package func pretty() -> String {
        var text = ""
        write(to: &text, indent: "")
        return text + "\n"
    }

    private func write(to text: inout String, indent: String) {
        let innerIndent = indent + "  "
        switch self {
        case .object(let object) where !object.members.isEmpty:
            text += "{\n"
            for (index, member) in object.members.enumerated() {
                text += index == 0 ? innerIndent : ",\n\(innerIndent)"
                text += "\(JSON.string(member.name).compact): "
                member.value.write(to: &text, indent: innerIndent)
            }
            text += "\n\(indent)}"
        case .array(let elements) where elements.contains(where: \.isNonemptyContainer):
            text += "[\n"
            for (index, element) in elements.enumerated() {
                text += index == 0 ? innerIndent : ",\n\(innerIndent)"
                element.write(to: &text, indent: innerIndent)
            }
            text += "\n\(indent)]"
        case .array(let elements): text += "[\(elements.map(\.compact).joined(separator: ", "))]"
        default: text += compact
        }
    }

    /// The value without white space.
    var compact: String { String(decoding: serialized(), as: UTF8.self) }

    /// Whether the value is a non-empty object or a non-empty array.
    var isNonemptyContainer: Bool {
        switch self {
        case .object(let object): !object.members.isEmpty
        case .array(let elements): !elements.isEmpty
        case .null, .bool, .integer, .double, .string: false
        }
    }
}
