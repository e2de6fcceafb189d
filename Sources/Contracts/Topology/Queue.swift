/// The queues that workers read.
package enum Queue {
    package static let identityCommands = "identity.commands"
    package static let postCommands = "post.commands"
    package static let postQueries = "post.queries"
    package static let postEvents = "post.events"
    package static let mediaCommands = "media.commands"
    /// Uploads wait apart, since they are long and their bodies are large.
    package static let mediaUploads = "media.uploads"
    package static let mediaQueries = "media.queries"
    package static let mediaEvents = "media.events"
    package static let searchQueries = "search.queries"
    package static let searchEvents = "search.events"
    /// Where the answers to what search asks come in, while it rebuilds its index.
    package static let searchReplies = "search.replies"

    /// The queues whose deliveries are retried and, in the end, kept as dead letters.
    package static let quorum = [
        postCommands, mediaCommands, mediaUploads, postEvents, mediaEvents, searchEvents,
    ]

    /// The queues whose messages nobody misses: the one who asked asks again.
    package static let classic = [identityCommands, postQueries, mediaQueries, searchQueries, searchReplies]

    /// Where the deliveries that a queue gave up are kept.
    package static func dead(of queue: String) -> String {
        queue + ".dead"
    }

    /// Where the events that a service follows come in.
    package static func events(of service: ServiceName) -> String {
        service.rawValue + ".events"
    }

    static func of(_ service: ServiceName, _ kind: MessageKind) -> String {
        switch kind {
        case .query: service.rawValue + ".queries"
        case .command, .credential: service.rawValue + ".commands"
        }
    }
}
