/// The queues that workers consume. `queues/definitions.json` declares them.
package enum Queue {
    package static let identityCommands = "identity.commands"
    package static let postCommands = "post.commands"
    package static let postQueries = "post.queries"
    package static let postEvents = "post.events"
    package static let mediaCommands = "media.commands"
    /// Uploads have their own queue, because they take long and their bodies are large.
    package static let mediaUploads = "media.uploads"
    package static let mediaQueries = "media.queries"
    package static let mediaEvents = "media.events"
    package static let searchQueries = "search.queries"
    package static let searchEvents = "search.events"
    /// Replies to the queries that the search service sends while it rebuilds its index.
    package static let searchReplies = "search.replies"

    /// The queues whose failed deliveries are retried and finally kept as dead letters.
    package static let quorum = [
        postCommands, mediaCommands, mediaUploads, postEvents, mediaEvents, searchEvents,
    ]

    /// The queues whose messages may be lost, because their senders ask again.
    package static let classic = [identityCommands, postQueries, mediaQueries, searchQueries, searchReplies]

    /// Returns the queue that keeps the dead letters of a queue.
    package static func dead(of queue: String) -> String {
        queue + ".dead"
    }

    /// Returns the queue of the events that a service subscribes to.
    package static func events(of service: ServiceName) -> String {
        service.rawValue + ".events"
    }

    /// Returns the queue of a service's messages of one kind.
    static func of(_ service: ServiceName, _ kind: MessageKind) -> String {
        switch kind {
        case .query: service.rawValue + ".queries"
        case .command, .credential: service.rawValue + ".commands"
        }
    }
}
