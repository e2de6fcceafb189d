/// Detects duplicate names in an object.
///
/// Up to twelve names are compared one by one. If an object has more names, they are hashed, so that a hostile object
/// with thousands of names takes linear time.
struct JSONNameSet {
    private static let linearLimit = 12
    private var hashed: Set<Name> = []

    /// Adds a name and returns whether it is new.
    ///
    /// - Parameter members: the members before the name. The first names of an object are only looked up in `members`.
    mutating func insert(_ name: String, among members: [JSONObject.Member]) -> Bool {
        if members.count < Self.linearLimit {
            return !members.contains { $0.name.hasSameBytes(as: name) }
        }
        if hashed.isEmpty {
            for member in members { hashed.insert(Name(text: member.name)) }
        }
        return hashed.insert(Name(text: name)).inserted
    }

    private struct Name: Hashable {
        let text: String

        static func == (left: Name, right: Name) -> Bool { left.text.hasSameBytes(as: right.text) }

        func hash(into hasher: inout Hasher) {
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }
}
