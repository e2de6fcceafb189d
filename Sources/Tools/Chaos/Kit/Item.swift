/// Something that a client asked Warren to create, and maybe to delete: a post, a picture or an account.
package struct Item: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case post, picture, account
    }

    package let kind: Kind
    /// The text by which the stores are searched for the item: the content of a post, the size of a picture
    /// (`WIDTHxHEIGHT`), the name of an account. No other item has it.
    package let mark: String
    /// The number of the account that owns the item.
    package let owner: Int
    /// The id from the 2xx response; `nil` without one.
    package var id: String?
    package var creation: Outcome
    /// The outcome of the deletion; `nil` if the client has not tried to delete the item.
    package var deletion: Outcome?

    /// Makes an item whose creation has an unknown outcome so far.
    package init(_ kind: Kind, mark: String, owner: Int) {
        self.kind = kind
        self.mark = mark
        self.owner = owner
        creation = .unknown
    }

    /// What a client knows about one of its commands.
    package enum Outcome: Sendable, Hashable {
        /// A 2xx, or a receipt that says that the command was carried out. It has exactly one effect.
        case done
        /// A 202, or a receipt that says that the command waits. It must be carried out in the end.
        case accepted
        /// A 4xx. It has no effect.
        case refused
        /// Only 503: nothing was sent to a service. It has no effect.
        case unavailable
        /// Another 5xx, or no response. It has one effect or none.
        case unknown
    }

    /// The numbers of effects that keep the promises.
    package var allowedCounts: ClosedRange<Int> {
        switch (creation, deletion) {
        case (.refused, _), (.unavailable, _): 0...0
        case (.unknown, _): 0...1
        case (.done, nil), (.done, .refused), (.done, .unavailable): 1...1
        case (.accepted, nil), (.accepted, .refused), (.accepted, .unavailable): 1...1
        case (.done, .unknown), (.accepted, .unknown): 0...1
        case (.done, .done), (.done, .accepted), (.accepted, .done), (.accepted, .accepted): 0...0
        }
    }
}
