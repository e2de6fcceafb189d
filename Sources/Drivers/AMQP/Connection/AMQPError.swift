package import Reactor

/// The reason why a connection to the broker could not be made, or why it ended.
package struct AMQPError: CodedError {
    package let code: ErrorCode<AMQPError>
    /// The operation that failed and the broker's or rabbitmq-c's text, without passwords.
    package let message: String
    /// The broker's reply code (AMQP 0-9-1, section 1.2), or `nil` if the broker sent none.
    package let replyCode: UInt16?
    package let cause: (any Error)?
    package let location: ErrorLocation

    /// Makes an error that is located at the caller's line.
    package init(
        _ code: ErrorCode<AMQPError>, _ message: String, replyCode: UInt16? = nil, cause: (any Error)? = nil,
        fileID: StaticString = #fileID, line: UInt = #line
    ) {
        self.code = code
        self.message = message
        self.replyCode = replyCode
        self.cause = cause
        location = ErrorLocation(fileID: fileID, line: line)
    }

    /// Whether a later attempt can succeed: a broker that cannot be reached may come back, but one that refuses the
    /// login or the virtual host continues to refuse them.
    package var isTransient: Bool {
        [.unreachable, .silent, .lost].contains(code)
    }

    /// The code, the reply code if there is one, the message, and the cause if there is one.
    package var description: String {
        let text = "\(code): \(replyCode.map { "\($0) " } ?? "")\(message)"
        return cause.map { "\(text); cause: \($0)" } ?? text
    }
}

extension ErrorCode where Failure == AMQPError {
    /// The text of an address is not a valid AMQP URI.
    package static var address: Self { Self("address") }
    /// The host name cannot be resolved, or the host does not accept the connection.
    package static var unreachable: Self { Self("unreachable") }
    /// The TLS handshake failed, because of the certificate, the host name or the protocol.
    package static var insecure: Self { Self("insecure") }
    /// The broker closed the connection or refused the login.
    package static var connectionClosed: Self { Self("connectionClosed") }
    /// The broker closed a channel.
    package static var channelClosed: Self { Self("channelClosed") }
    /// The broker cancelled a consumer, for example because its queue was deleted or its node stopped.
    package static var consumerCancelled: Self { Self("consumerCancelled") }
    /// The broker did not answer in time, or sent no data for two heartbeat intervals.
    package static var silent: Self { Self("silent") }
    /// The connection broke without connection.close, or this side gave it up.
    package static var lost: Self { Self("lost") }
    /// The broker sent data that violates AMQP.
    package static var malformed: Self { Self("malformed") }
}
