/// What a message asks for, which decides how it travels.
package enum MessageKind: String, Sendable, Hashable, CaseIterable {
    /// Reads; transient, and of no use after its deadline.
    case query
    /// Changes something; kept on disk until it is carried out.
    case command
    /// Bears a password or a token, and so never comes to rest in a queue.
    case credential

    /// Whether the broker is to keep it on disk and the sender to wait for the confirm.
    package var isPersistent: Bool { self == .command }
}

/// The services that own data; each has one database, and queues named after it.
package enum ServiceName: String, Sendable, Hashable, CaseIterable {
    case identity
    case post
    case media
    case search
}
