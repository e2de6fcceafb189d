/// How often each store contains each item, read after all queues are empty.
package struct Effects: Sendable {
    /// A place in which a command leaves an effect: the service's own table, or a consumer of its events.
    package enum Place: String, Sendable, CaseIterable {
        case posts = "the posts"
        case index = "the search index"
        case pictures = "the pictures"
        case projection = "the pictures that posts can show"
        case assets = "the media host"
        case accounts = "the accounts"
        case creationEvents = "the events of creations"
        case deletionEvents = "the events of deletions"
        case updateEvents = "the events of changes"
    }

    /// For each place, how often it has each item. The items are named by their marks in `posts`, `index`, `pictures`
    /// and `accounts`, and by their ids in the other places.
    package var counts: [Place: [String: Int]] = [:]
    /// The ids of the stored items, by mark. A client that got no 2xx does not know the id of its item.
    package var ids: [String: String] = [:]

    /// All ids in these places, including those of earlier episodes.
    package var all: [Place: Set<String>] = [:]

    /// The descriptions of the pictures by id, in `pictures` and `projection`; empty without one.
    package var descriptions: [Place: [String: String]] = [:]

    package init() {}

    package func count(_ place: Place, _ name: String) -> Int { counts[place]?[name] ?? 0 }
}
