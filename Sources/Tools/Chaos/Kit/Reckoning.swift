/// Compares the outcomes in the ledger with the rows, entries and events in the stores.
package enum Reckoning {
    /// Returns a line for each broken promise.
    ///
    /// - Parameters:
    ///   - items: the items whose outcomes are compared.
    ///   - marks: the marks of all items that the clients asked for in this run, and the names of their accounts.
    ///   - effects: what the stores have.
    package static func violations(_ items: [Item], marks: Set<String>, _ effects: Effects) -> [String] {
        items.flatMap { violations($0, effects) } + contradictions(effects) + inventions(marks, effects)
    }

    /// Returns a line for each stored item that no client asked for.
    private static func inventions(_ marks: Set<String>, _ effects: Effects) -> [String] {
        [Effects.Place.posts, .pictures, .accounts].flatMap { place in
            Set(effects.counts[place]?.keys ?? [:].keys).subtracting(marks).sorted()
                .map { "\(place.rawValue) have an item that no client asked for: \($0)" }
        }
    }

    /// Returns a line for each place that has an id, although another place shows that it must not, and the other way
    /// round. Items of earlier episodes are included.
    private static func contradictions(_ effects: Effects) -> [String] {
        func ids(_ place: Effects.Place) -> Set<String> { effects.all[place] ?? [] }
        let events = Set(effects.counts[.creationEvents]?.keys ?? [:].keys)
        let deletions = Set(effects.counts[.deletionEvents]?.keys ?? [:].keys)
        let stored = ids(.posts).union(ids(.pictures)).union(ids(.accounts))
        let found: [(String, Set<String>)] = [
            ("a stored post is not in the search index", ids(.posts).subtracting(ids(.index))),
            ("a stored picture cannot be shown by posts", ids(.pictures).subtracting(ids(.projection))),
            ("a stored picture is not on the media host", ids(.pictures).subtracting(ids(.assets))),
            ("no event tells of the creation of a stored item", stored.subtracting(events)),
            ("the search index has a post that is not stored", ids(.index).subtracting(ids(.posts))),
            ("posts can show a picture that is not stored", ids(.projection).subtracting(ids(.pictures))),
            ("the media host has a picture that is not stored", ids(.assets).subtracting(ids(.pictures))),
            ("an event tells of a creation that is not stored", events.subtracting(stored).subtracting(deletions)),
            ("an event tells of a deletion, but the item is stored", deletions.intersection(stored)),
        ]
        return found.flatMap { text, ids in ids.sorted().map { "\(text): \($0)" } }
    }

    private static func violations(_ item: Item, _ effects: Effects) -> [String] {
        let place = primaryPlace(of: item.kind)
        let stored = effects.count(place, item.mark)
        var found: [String] = []
        if !item.allowedCounts.contains(stored) {
            found.append("\(item.summary): \(place.rawValue) have it \(stored) times")
        }
        // The other places must agree with the table of the service, whatever the client was told.
        for (copy, name, wanted) in copies(of: item, stored: min(stored, 1), effects) {
            let count = effects.count(copy, name)
            if !wanted.contains(count) { found.append("\(item.summary): \(copy.rawValue) have it \(count) times") }
        }
        return found + pictureViolations(item, stored, effects) + descriptionViolations(item, stored, effects)
    }

    /// Returns a line for each picture of a post that was not deleted with it, or was deleted without it.
    private static func pictureViolations(_ post: Item, _ stored: Int, _ effects: Effects) -> [String] {
        // If the post may never have been stored, its pictures must be there, and their own counts show it.
        guard stored == 1 || post.creation == .done || post.creation == .accepted else { return [] }
        return post.pictures.filter { effects.count(.pictures, $0) != stored }.map {
            "\(post.summary): its picture \($0) is stored \(effects.count(.pictures, $0)) times, the post \(stored)"
        }
    }

    /// Returns a line for each place that has another description of a picture than the last confirmed one, and one if
    /// the event `media.updated` is missing, or tells of a change that was never carried out.
    private static func descriptionViolations(_ picture: Item, _ stored: Int, _ effects: Effects) -> [String] {
        guard picture.kind == .picture, stored == 1, let id = picture.id ?? effects.ids[picture.mark] else { return [] }
        let description = effects.descriptions[.pictures]?[id] ?? ""
        var found: [String] = []
        if !picture.allowedDescriptions.contains(description) {
            let wanted = picture.allowedDescriptions.sorted().joined(separator: "\" or \"")
            found.append("\(picture.summary): its description is \"\(description)\" instead of \"\(wanted)\"")
        }
        if let copy = effects.descriptions[.projection]?[id], copy != description {
            found.append("\(picture.summary): posts describe it as \"\(copy)\" instead of \"\(description)\"")
        }
        let hasEvent = effects.count(.updateEvents, id) > 0
        if description != picture.firstDescription, !hasEvent {
            found.append("\(picture.summary): no event tells of its new description")
        }
        if hasEvent, !picture.mayHaveChanged {
            found.append("\(picture.summary): an event tells of a new description, but no change was carried out")
        }
        return found
    }

    private static func primaryPlace(of kind: Item.Kind) -> Effects.Place {
        switch kind {
        case .post: .posts
        case .picture: .pictures
        case .account: .accounts
        }
    }

    /// The places that have an item besides the table of its service, its name there, and the allowed counts.
    private static func copies(
        of item: Item, stored: Int, _ effects: Effects
    ) -> [(Effects.Place, String, ClosedRange<Int>)] {
        var copies: [(Effects.Place, String, ClosedRange<Int>)] = []
        if item.kind == .post { copies.append((.index, item.mark, stored...stored)) }
        guard let id = item.id ?? effects.ids[item.mark] else { return copies }
        if item.kind == .picture {
            copies.append((.projection, id, stored...stored))
            copies.append((.assets, id, stored...stored))
        }
        // Events are delivered at least once. The creation of a stored item has one, and that of a deleted one too.
        let wasCreated = stored == 1 || (item.creation != .refused && item.creation != .unavailable)
        copies.append((.creationEvents, id, wasCreated ? 1...Int.max : 0...0))
        let wasDeleted = wasCreated && stored == 0
        if item.kind != .account { copies.append((.deletionEvents, id, wasDeleted ? 1...Int.max : 0...0)) }
        return copies
    }
}

extension Item {
    /// The item and what the client was told, for a message.
    package var summary: String {
        let name = id.map { "\(kind.rawValue) \(mark) (\($0))" } ?? "\(kind.rawValue) \(mark)"
        return "\(name), creation \(creation)" + (deletion.map { ", deletion \($0)" } ?? "")
    }
}
