extension JSONObject {
    /// Appends a member unless the value is `nil`.
    package mutating func add(_ name: String, _ value: JSON?) {
        guard let value else { return }
        members.append(Member(name: name, value: value))
    }
}

extension JSON {
    /// Returns an object that a closure builds member by member.
    package static func object(_ build: (inout JSONObject) -> Void) -> JSON {
        var object = JSONObject()
        build(&object)
        return .object(object)
    }

    /// Returns an array of strings.
    package static func strings(_ texts: some Sequence<String>) -> JSON {
        .array(texts.map { .string($0) })
    }
}
