/// The message types of the queue contract. The file of each service defines its own.
package enum Messages {
    /// Every message type.
    package static let types: [any AnyMessageType] = Identity.types + Post.types + Media.types + Search.types
    /// The descriptor of every message type.
    package static let all: [MessageDescriptor] = types.map(\.descriptor)

    /// The message types of the identity service.
    package enum Identity {}
    /// The message types of the post service.
    package enum Post {}
    /// The message types of the media service.
    package enum Media {}
    /// The message types of the search service.
    package enum Search {}
}

/// The kind of a message, which decides how it travels.
package enum MessageKind: String, Sendable, Hashable, CaseIterable {
    /// Reads data. It is transient and expires at its deadline.
    case query
    /// Changes data. It is stored on disk until a worker has carried it out.
    case command
    /// Carries a password or a token. It is transient, so that no queue stores secrets.
    case credential

    /// Whether the broker stores it on disk and the sender waits for the publisher confirm.
    package var isPersistent: Bool { self == .command }
}

/// The services that own data. Each has one database, and queues that are named after it.
package enum ServiceName: String, Sendable, Hashable, CaseIterable {
    case identity
    case post
    case media
    case search
}
