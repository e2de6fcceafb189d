/// The members of a JSON object in the order in which they came.
package struct JSONObject: Sendable, Hashable {
    /// A name and its value.
    package struct Member: Sendable, Hashable {
        package let name: String
        package let value: JSON

        package init(name: String, value: JSON) {
            self.name = name
            self.value = value
        }
    }

    package var members: [Member]

    /// An object of these members; that no name comes twice is up to the caller.
    package init(_ members: [Member] = []) {
        self.members = members
    }

    /// The value of the member of that name. It looks at every member: objects that it is asked of are small.
    package subscript(name: String) -> JSON? {
        for member in members where member.name.hasSameBytes(as: name) {
            return member.value
        }
        return nil
    }
}

extension String {
    /// Whether both have the same UTF-8. `==` goes by canonical equivalence, which JSON names do not have, and
    /// which makes hostile text costly to compare.
    func hasSameBytes(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        let isSame = utf8.withContiguousStorageIfAvailable { own in
            other.utf8.withContiguousStorageIfAvailable { own.elementsEqual($0) }
        }
        return isSame.flatMap { $0 } ?? utf8.elementsEqual(other.utf8)
    }
}
