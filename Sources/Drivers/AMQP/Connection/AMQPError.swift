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

    /// Makes an error. Its location is the caller's line.
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

    /// Whether a later attempt can succeed. A broker that cannot be reached or is being stopped (reply code 320,
    /// CONNECTION_FORCED) may come back. A broker that refuses the login or the virtual host also refuses later
    /// attempts.
    package var isTransient: Bool {
        [.unreachable, .silent, .lost].contains(code) || replyCode == 320
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
    package static var connectionClosed: Self { Self("connection-closed") }
    /// The broker closed a channel.
    package static var channelClosed: Self { Self("channel-closed") }
    /// The broker cancelled a consumer, for example because the queue was deleted or the queue's node stopped.
    package static var consumerCancelled: Self { Self("consumer-cancelled") }
    /// The broker did not answer in time, or sent no data for two heartbeat intervals.
    package static var silent: Self { Self("silent") }
    /// The connection broke without connection.close, this side stopped connecting, or a local resource was missing.
    package static var lost: Self { Self("lost") }
    /// The broker sent data that violates AMQP.
    package static var malformed: Self { Self("malformed") }
}
