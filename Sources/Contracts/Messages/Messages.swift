/// The message types of the queue contract.
///
/// Each service's message types are in a file of their own, such as `PostMessages.swift`.
package enum Messages {
    /// Every message type.
    package static let types: [any AnyMessageType] = Identity.types + Post.types + Media.types + Search.types
    /// The descriptor of every message type.
    package static let descriptors: [MessageDescriptor] = types.map(\.descriptor)

    /// The message types of the identity service.
    package enum Identity {}
    /// The message types of the post service.
    package enum Post {}
    /// The message types of the media service.
    package enum Media {}
    /// The message types of the search service.
    package enum Search {}
}

/// The kind of a message. It determines the queue, and whether the broker stores the message on disk.
package enum MessageKind: String, Sendable, Hashable, CaseIterable {
    /// A request that reads data. It is transient and expires at its deadline.
    case query
    /// A request that changes data. The broker stores it on disk until a worker has carried it out.
    case command
    /// A request to the identity service, which usually carries a password or a token. The message is transient and
    /// expires, so that the broker persists no secret.
    case credential

    /// Whether the broker stores such a message on disk.
    package var isPersistent: Bool { self == .command }
}

/// The services that own data. Each has one database, and queues that are named after it.
package enum ServiceName: String, Sendable, Hashable, CaseIterable {
    case identity
    case post
    case media
    case search
}
