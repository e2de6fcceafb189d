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
    /// The outcome of the deletion; `nil` if the client has not tried to delete the item. A picture in a post has the
    /// outcome of the post's deletion.
    package var deletion: Outcome?
    /// The marks of the pictures in a post. They are deleted with it.
    package var pictures: [String] = []
    /// The description of a picture, as its creation or the last successful change has set it; empty without one.
    package var description = ""
    /// The description with which the picture was created; empty without one.
    package var firstDescription = ""
    /// The change of the description that has not succeeded yet.
    package var change: Change?

    /// A change of the description of a picture.
    package struct Change: Sendable {
        package let description: String
        package var outcome: Outcome

        package init(_ description: String) {
            self.description = description
            outcome = .unknown
        }
    }

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
        /// Only 503, which means that the command had no effect.
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

    /// Whether a change of the description was carried out, or may have been.
    package var mayHaveChanged: Bool {
        if description != firstDescription { return true }
        return switch change?.outcome {
        case .done, .accepted, .unknown: true
        case .refused, .unavailable, nil: false
        }
    }

    /// The descriptions of a picture that keep the promises.
    package var allowedDescriptions: Set<String> {
        guard let change else { return [description] }
        return switch change.outcome {
        case .done, .accepted: [change.description]
        case .refused, .unavailable: [description]
        case .unknown: [description, change.description]
        }
    }
}
