extension JSON {
    /// Returns the value in readable form: one line for each member, indented by two spaces, with a final line
    /// feed.
    package func pretty() -> String {
        var text = ""
        write(to: &text, indent: "")
        return text + "\n"
    }

    private func write(to text: inout String, indent: String) {
        let deeper = indent + "  "
        switch self {
        case .object(let object) where !object.members.isEmpty:
            text += "{\n"
            for (index, member) in object.members.enumerated() {
                text += index == 0 ? deeper : ",\n\(deeper)"
                text += "\(JSON.string(member.name).compact): "
                member.value.write(to: &text, indent: deeper)
            }
            text += "\n\(indent)}"
        case .array(let elements) where elements.contains(where: \.isNested):
            text += "[\n"
            for (index, element) in elements.enumerated() {
                text += index == 0 ? deeper : ",\n\(deeper)"
                element.write(to: &text, indent: deeper)
            }
            text += "\n\(indent)]"
        case .array(let elements): text += "[\(elements.map(\.compact).joined(separator: ", "))]"
        default: text += compact
        }
    }

    /// The value without white space.
    var compact: String { String(decoding: serialized(), as: UTF8.self) }

    /// Whether the value has members or elements.
    var isNested: Bool {
        switch self {
        case .object(let object): !object.members.isEmpty
        case .array(let elements): !elements.isEmpty
        case .null, .bool, .integer, .double, .string: false
        }
    }
}
