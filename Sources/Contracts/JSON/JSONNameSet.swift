/// The names that an object has so far: compared one by one while they are few, hashed once they are many, so
/// that a hostile object of ten thousand names costs no more than its length.
struct JSONNameSet {
    private static let few = 12
    private var many: Set<Name> = []

    /// Whether the name is new; the members are those before it.
    mutating func insert(_ name: String, among members: [JSONObject.Member]) -> Bool {
        if members.count < Self.few {
            return !members.contains { $0.name.hasSameBytes(as: name) }
        }
        if many.isEmpty {
            for member in members { many.insert(Name(text: member.name)) }
        }
        return many.insert(Name(text: name)).inserted
    }

    private struct Name: Hashable {
        let text: String

        static func == (left: Name, right: Name) -> Bool { left.text.hasSameBytes(as: right.text) }

        func hash(into hasher: inout Hasher) {
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }
}
