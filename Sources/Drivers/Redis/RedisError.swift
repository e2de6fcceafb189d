package import Reactor

/// The reason why a command or a connection failed.
package struct RedisError: CodedError {
    package let code: ErrorCode<RedisError>
    /// The details, without secrets. For ``ErrorCode/reply`` this is the server's error text.
    package let message: String
    package let cause: (any Error)?
    package let location: ErrorLocation

    /// Makes an error. Its location is the caller's line.
    package init(
        _ code: ErrorCode<RedisError>, _ message: String, cause: (any Error)? = nil, fileID: StaticString = #fileID,
        line: UInt = #line
    ) {
        self.code = code
        self.message = message
        self.cause = cause
        location = ErrorLocation(fileID: fileID, line: line)
    }

    /// Whether the same command can succeed later. `true` if the server was not reached or did not reply, or if its
    /// error reply says that it is loading its data, is busy with a script, or is in a failover.
    package var isTransient: Bool {
        switch code {
        case .unavailable, .timeout, .connectionLost: true
        case .reply: ["LOADING", "BUSY", "READONLY", "MASTERDOWN"].contains(replyPrefix)
        default: false
        }
    }

    /// The first word of an error reply, such as `WRONGTYPE` or `NOSCRIPT`; `nil` for other errors.
    var replyPrefix: String? {
        code == .reply ? String(message.prefix { $0 != " " }) : nil
    }
}

extension ErrorCode where Failure == RedisError {
    /// There is no connection, or too many commands or bytes are in flight. The command was not sent.
    package static var unavailable: Self { Self("unavailable") }
    /// The reply did not arrive in time. The server may have executed the command.
    package static var timeout: Self { Self("timeout") }
    /// The connection broke before the reply. The server may have executed the command.
    package static var connectionLost: Self { Self("connection-lost") }
    /// The server replied with an error.
    package static var reply: Self { Self("reply") }
    /// The server violated the Redis protocol, or the command has no words.
    package static var `protocol`: Self { Self("protocol") }
    /// The address is invalid.
    package static var address: Self { Self("address") }
}
