import ChaosKit
import Testing

@Suite("Reckoning") struct ReckoningTests {
    @Test("a post that the stores have as promised breaks no promise")
    func keptPost() {
        #expect(violations([post(.done)], stored()).isEmpty)
        #expect(violations([post(.accepted)], stored()).isEmpty)
        #expect(violations([post(.unknown)], stored()).isEmpty)
    }

    @Test("a post that got a 201 and is not stored breaks promises", arguments: [Item.Outcome.done, .accepted])
    func lostPost(outcome: Item.Outcome) {
        #expect(!violations([post(outcome)], Effects()).isEmpty)
    }

    @Test("an unanswered creation without any effect is no violation")
    func missingPost() {
        var item = post(.unknown)
        item.id = nil
        #expect(violations([item], Effects()).isEmpty)
    }

    @Test("a post that is stored twice breaks a promise", arguments: [Item.Outcome.done, .unknown])
    func doubledPost(outcome: Item.Outcome) {
        var effects = stored()
        effects.counts[.posts] = ["a post": 2]
        #expect(violations([post(outcome)], effects).count == 1)
    }

    @Test("a refused post that is stored breaks promises")
    func refusedPost() {
        #expect(!violations([post(.refused)], stored()).isEmpty)
        var item = post(.refused)
        item.id = nil
        #expect(violations([item], Effects()).isEmpty)
    }

    @Test("a stored post that its consumers lack breaks a promise", arguments: [Effects.Place.index, .creationEvents])
    func missingCopy(place: Effects.Place) {
        var effects = stored()
        effects.counts[place] = nil
        #expect(!violations([post(.done)], effects).isEmpty)
    }

    @Test("an event may come twice")
    func doubledEvent() {
        var effects = stored()
        effects.counts[.creationEvents] = ["id": 2]
        #expect(violations([post(.done)], effects).isEmpty)
    }

    @Test("an event of a post that was never stored breaks a promise")
    func inventedEvent() {
        var effects = Effects()
        effects.counts[.creationEvents] = ["id": 1]
        #expect(!violations([post(.refused)], effects).isEmpty)
    }

    @Test("a deleted post must be gone from the posts and the index, and have both events")
    func deletedPost() {
        var item = post(.done)
        item.deletion = .done
        #expect(!violations([item], stored()).isEmpty)
        var effects = Effects()
        effects.counts = [.creationEvents: ["id": 1], .deletionEvents: ["id": 1]]
        #expect(violations([item], effects).isEmpty)
    }

    @Test("a post whose deletion has an unknown outcome may be there or not, but the same everywhere")
    func maybeDeletedPost() {
        var item = post(.done)
        item.deletion = .unknown
        #expect(violations([item], stored()).isEmpty)
        var effects = stored()
        effects.counts[.index] = nil
        #expect(violations([item], effects).count == 1)
    }

    @Test("a post whose deletion was refused must be there")
    func undeletedPost() {
        var item = post(.done)
        item.deletion = .refused
        #expect(violations([item], stored()).isEmpty)
        #expect(!violations([item], Effects()).isEmpty)
    }

    @Test("a picture must be in the table, at the media host and in the projection of the post service")
    func picture() {
        var item = Item(.picture, mark: "3x4", owner: 0)
        (item.creation, item.id) = (.done, "id")
        var effects = Effects()
        effects.counts = [
            .pictures: ["3x4": 1], .projection: ["id": 1], .assets: ["id": 1], .creationEvents: ["id": 1],
        ]
        effects.all = [.pictures: ["id"], .projection: ["id"], .assets: ["id"]]
        #expect(violations([item], effects).isEmpty)
        for place in [Effects.Place.pictures, .projection, .assets] {
            var incomplete = effects
            incomplete.counts[place] = nil
            #expect(!violations([item], incomplete).isEmpty, "\(place)")
        }
    }

    @Test("a picture must be deleted with its post, and only then", arguments: [0, 1])
    func pictureOfPost(isStored: Int) {
        var (post, picture) = (post(.done), Item(.picture, mark: "3x4", owner: 0))
        post.pictures = ["3x4"]
        post.deletion = .unknown
        (picture.creation, picture.id, picture.deletion) = (.done, "picture", .unknown)
        var effects = isStored == 1 ? stored() : Effects()
        effects.counts[.creationEvents] = ["id": 1, "picture": 1]
        if isStored == 0 { effects.counts[.deletionEvents] = ["id": 1, "picture": 1] }
        var other = effects
        for (place, name) in [(Effects.Place.pictures, "3x4"), (.projection, "picture"), (.assets, "picture")] {
            effects.counts[place] = [name: isStored]
            other.counts[place] = [name: 1 - isStored]
            if isStored == 1 { effects.all[place] = ["picture"] } else { other.all[place] = ["picture"] }
        }
        #expect(violations([post, picture], effects).isEmpty)
        let found = violations([post, picture], other)
        #expect(
            found.contains { $0.hasSuffix("its picture 3x4 is stored \(1 - isStored) times, the post \(isStored)") })
    }

    @Test("another description than the last confirmed one breaks a promise, in both databases")
    func description() {
        var item = Item(.picture, mark: "3x4", owner: 0)
        (item.creation, item.id, item.description) = (.done, "id", "new")
        var effects = Effects()
        effects.counts = [
            .pictures: ["3x4": 1], .projection: ["id": 1], .assets: ["id": 1], .creationEvents: ["id": 1],
            .updateEvents: ["id": 1],
        ]
        effects.all = [.pictures: ["id"], .projection: ["id"], .assets: ["id"]]
        effects.descriptions = [.pictures: ["id": "new"], .projection: ["id": "new"]]
        #expect(violations([item], effects).isEmpty)
        var silent = effects
        silent.counts[.updateEvents] = nil
        #expect(violations([item], silent).count == 1)
        item.firstDescription = "new"
        #expect(violations([item], effects).count == 1, "the event tells of a change that no client asked for")
        item.change = Item.Change("newer")
        #expect(violations([item], effects).isEmpty)
        item.change?.outcome = .refused
        #expect(violations([item], effects).count == 1, "the event tells of a change that was refused")
        item.firstDescription = "old"
        effects.descriptions[.projection] = ["id": "old"]
        #expect(violations([item], effects).count == 1)
        effects.descriptions[.pictures] = ["id": "old"]
        #expect(violations([item], effects).count == 1)
    }

    @Test("the id of an item that got no 2xx comes from the stores")
    func foundID() {
        var item = Item(.picture, mark: "3x4", owner: 0)
        item.creation = .unknown
        var effects = Effects()
        effects.ids = ["3x4": "id"]
        effects.counts = [.pictures: ["3x4": 1], .projection: ["id": 1], .creationEvents: ["id": 1]]
        effects.all = [.pictures: ["id"], .projection: ["id"], .assets: ["id"]]
        #expect(violations([item], effects).count == 1, "the asset is missing")
    }

    @Test("a post that only got 503 must not be stored")
    func unavailablePost() {
        #expect(!violations([post(.unavailable)], stored()).isEmpty)
    }

    @Test("an entry of a consumer without a row of the service breaks a promise, and a row without an entry too")
    func contradictions() {
        var effects = Effects()
        effects.all = [
            .posts: ["1", "8"], .pictures: ["2", "9"], .index: ["1", "3"], .projection: ["2", "4"],
            .assets: ["2", "5"],
        ]
        effects.counts = [.creationEvents: ["1": 1, "2": 1, "6": 1, "7": 1], .deletionEvents: ["7": 1, "2": 1]]
        #expect(
            violations([], effects).map { $0.suffix(1) } == ["8", "9", "9", "8", "9", "3", "4", "5", "6", "2"])
    }

    @Test("a stored item that no client asked for breaks a promise", arguments: [Effects.Place.posts, .accounts])
    func invention(place: Effects.Place) {
        var effects = Effects()
        effects.counts = [place: ["a mark": 1]]
        #expect(Reckoning.violations([], marks: [], effects).count == 1)
        #expect(Reckoning.violations([], marks: ["a mark"], effects).isEmpty)
    }

    private func violations(_ items: [Item], _ effects: Effects) -> [String] {
        Reckoning.violations(items, marks: Set(items.map(\.mark)), effects)
    }

    private func post(_ creation: Item.Outcome) -> Item {
        var item = Item(.post, mark: "a post", owner: 0)
        (item.creation, item.id) = (creation, "id")
        return item
    }

    /// The effects of the post, as they should be.
    private func stored() -> Effects {
        var effects = Effects()
        effects.counts = [.posts: ["a post": 1], .index: ["a post": 1], .creationEvents: ["id": 1]]
        effects.all = [.posts: ["id"], .index: ["id"]]
        return effects
    }
}
