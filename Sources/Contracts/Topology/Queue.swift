/// The queues that Warren's processes consume. `queues/definitions.json` declares them.
package enum Queue {
    package static let identityCommands = "identity.commands"
    package static let postCommands = "post.commands"
    package static let postQueries = "post.queries"
    package static let postEvents = "post.events"
    package static let mediaCommands = "media.commands"
    /// Uploads have their own queue, because an upload takes long and its body is large.
    package static let mediaUploads = "media.uploads"
    package static let mediaQueries = "media.queries"
    package static let mediaEvents = "media.events"
    package static let searchQueries = "search.queries"
    package static let searchEvents = "search.events"
    /// Replies to the queries that the search service sends while it rebuilds its index.
    package static let searchReplies = "search.replies"

    /// The queues whose failed deliveries are retried. After the last failure a delivery is kept as a dead letter.
    package static let quorum = [
        postCommands, mediaCommands, mediaUploads, postEvents, mediaEvents, searchEvents,
    ]

    /// The queues whose messages may be lost, because a request that gets no reply can be sent again.
    package static let classic = [identityCommands, postQueries, mediaQueries, searchQueries, searchReplies]

    /// Returns the queue that keeps the dead letters of a queue.
    package static func dead(of queue: String) -> String {
        queue + ".dead"
    }

    /// Returns the queue of the events that a service subscribes to.
    package static func events(of service: ServiceName) -> String {
        service.rawValue + ".events"
    }

    /// Returns the queue that receives a service's messages of one kind, if the message type names no other queue.
    static func of(_ service: ServiceName, _ kind: MessageKind) -> String {
        switch kind {
        case .query: service.rawValue + ".queries"
        case .command, .credential: service.rawValue + ".commands"
        }
    }
}
