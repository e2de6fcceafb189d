/// A table of named values, in the order in which they are sent. If a name occurs more than once, its first value is
/// used.
///
/// The values are in an array, because messages have too few headers for a hash table to be faster.
package struct Headers: Sendable, Equatable {
    /// A name and its value.
    package struct Entry: Sendable, Equatable {
        /// The name, at most 255 bytes of UTF-8.
        package var name: String
        package var value: FieldValue

        package init(name: String, value: FieldValue) {
            self.name = name
            self.value = value
        }
    }

    /// The names and values, in order.
    package var entries: [Entry]

    /// Makes a table from names and values.
    package init(_ entries: [Entry] = []) {
        self.entries = entries
    }

    /// Whether the table has no entries.
    package var isEmpty: Bool { entries.isEmpty }

    /// The value of a name, or `nil` if the table does not have the name. Setting `nil` removes the name.
    package subscript(name: String) -> FieldValue? {
        get {
            for entry in entries where entry.name == name { return entry.value }
            return nil
        }
        set {
            let index = entries.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): entries[index].value = value
            case (nil, let value?): entries.append(Entry(name: name, value: value))
            case (_?, nil): entries.removeAll { $0.name == name }
            case (nil, nil): break
            }
        }
    }
}

extension Headers: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, FieldValue)...) {
        entries = elements.map { Entry(name: $0.0, value: $0.1) }
    }
}
