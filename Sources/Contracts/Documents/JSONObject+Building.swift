extension JSONObject {
    /// Adds a member at the end, where there is something to add.
    package mutating func add(_ name: String, _ value: JSON?) {
        guard let value else { return }
        members.append(Member(name: name, value: value))
    }
}

extension JSON {
    /// An object put together member by member.
    package static func object(_ build: (inout JSONObject) -> Void) -> JSON {
        var object = JSONObject()
        build(&object)
        return .object(object)
    }

    /// An array of strings.
    package static func strings(_ texts: some Sequence<String>) -> JSON {
        .array(texts.map { .string($0) })
    }
}
