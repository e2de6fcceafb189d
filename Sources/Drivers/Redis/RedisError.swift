/// What went wrong with a command or a connection.
package struct RedisError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of a failure; compare it with the constants, of which later versions may have more.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, for logs.
        package let description: String

        private init(_ name: String) {
            description = name
        }

        /// There is no connection now, or as many commands as allowed are under way; nothing was sent.
        package static let unavailable = Code("unavailable")
        /// No reply came in time; the command may have been carried out all the same.
        package static let timeout = Code("timeout")
        /// The connection broke before the reply came; the command may have been carried out all the same.
        package static let connectionLost = Code("connectionLost")
        /// The server answered with an error; the message has it word for word.
        package static let reply = Code("reply")
        /// The peer does not speak the Redis protocol.
        package static let `protocol` = Code("protocol")
        /// The address cannot be used.
        package static let address = Code("address")
    }

    /// The kind of the failure.
    package let code: Code
    /// What happened, without secrets: the server's words where it spoke.
    package let message: String

    /// Makes an error of its kind and what happened.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The first word of an error reply, as `WRONGTYPE` or `NOSCRIPT`; nil for every other kind of error.
    package var replyPrefix: String? {
        code == .reply ? String(message.prefix { $0 != " " }) : nil
    }

    /// The kind and what happened.
    package var description: String {
        "\(code): \(message)"
    }
}
