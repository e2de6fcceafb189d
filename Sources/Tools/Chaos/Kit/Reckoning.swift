/// Compares what the clients were told with what the stores have.
package enum Reckoning {
    /// Returns a line for each broken promise.
    ///
    /// - Parameters:
    ///   - items: all items that the clients asked for.
    ///   - effects: what the stores have.
    package static func violations(_ items: [Item], _ effects: Effects) -> [String] {
        items.flatMap { violations($0, effects) }
    }

    private static func violations(_ item: Item, _ effects: Effects) -> [String] {
        let place = primaryPlace(of: item.kind)
        let stored = effects.count(place, item.mark)
        var found: [String] = []
        if !item.allowedCounts.contains(stored) {
            found.append("\(item.story): \(place.rawValue) have it \(stored) times")
        }
        // The other places must agree with the table of the service, whatever the client was told.
        for (copy, name, wanted) in copies(of: item, stored: min(stored, 1), effects) {
            let count = effects.count(copy, name)
            if !wanted.contains(count) { found.append("\(item.story): \(copy.rawValue) have it \(count) times") }
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
        let wasCreated = stored == 1 || item.creation != .refused
        copies.append((.creationEvents, id, wasCreated ? 1...Int.max : 0...0))
        if item.kind != .account { copies.append((.deletionEvents, id, stored == 0 ? 1...Int.max : 0...0)) }
        return copies
    }
}

extension Item {
    /// The item and what the client was told, for a message.
    var story: String {
        let name = id.map { "\(kind.rawValue) \(mark) (\($0))" } ?? "\(kind.rawValue) \(mark)"
        return "\(name), creation \(creation)" + (deletion.map { ", deletion \($0)" } ?? "")
    }
}
