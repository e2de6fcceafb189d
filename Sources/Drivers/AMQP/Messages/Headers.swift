/// A table of named values in the order they were written; names may repeat, the first one counts.
///
/// An array of pairs: a message has a handful of headers, fewer than make a hash table worth its cost.
package struct Headers: Sendable, Equatable {
    /// One name and its value.
    package struct Entry: Sendable, Equatable {
        /// The name, at most 255 bytes of UTF-8.
        package var name: String
        /// The value.
        package var value: FieldValue

        /// Makes an entry.
        package init(name: String, value: FieldValue) {
            self.name = name
            self.value = value
        }
    }

    /// The pairs, in order.
    package var entries: [Entry]

    /// Makes a table of pairs.
    package init(_ entries: [Entry] = []) {
        self.entries = entries
    }

    /// Whether there is nothing in it.
    package var isEmpty: Bool { entries.isEmpty }

    /// The value of a name; setting nil takes the name out.
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
