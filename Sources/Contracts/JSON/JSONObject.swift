/// The members of a JSON object, in the order of the document.
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

    /// - Parameter members: the members. Their names must differ, which is not checked.
    package init(_ members: [Member] = []) {
        self.members = members
    }

    /// The value of a member; `nil` if there is no such member. The search is linear, because objects are small.
    package subscript(name: String) -> JSON? {
        for member in members where member.name.hasSameBytes(as: name) {
            return member.value
        }
        return nil
    }
}

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

extension String {
    /// Returns whether both strings consist of the same bytes.
    ///
    /// `==` tests canonical equivalence instead. RFC 8259 does not use canonical equivalence for names, and the test is
    /// expensive for hostile text.
    func hasSameBytes(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        let isSame = utf8.withContiguousStorageIfAvailable { own in
            other.utf8.withContiguousStorageIfAvailable { own.elementsEqual($0) }
        }
        return isSame.flatMap { $0 } ?? utf8.elementsEqual(other.utf8)
    }
}
