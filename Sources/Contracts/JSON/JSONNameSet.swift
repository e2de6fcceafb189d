/// Detects duplicate names in an object.
///
/// A few names are compared one by one. From the thirteenth on they are hashed, so that the cost of a hostile
/// object with thousands of names stays linear.
struct JSONNameSet {
    private static let few = 12
    private var many: Set<Name> = []

    /// Returns whether a name is new.
    ///
    /// - Parameter members: the members before it.
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
