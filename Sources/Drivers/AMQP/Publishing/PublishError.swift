package import Reactor

/// The reason why a message was not published, or may not have been.
package struct PublishError: CodedError {
    package let code: ErrorCode<PublishError>
    /// The details; for ``ErrorCode/returned`` the broker's reply text.
    package let message: String
    /// The broker's reply code for ``ErrorCode/returned`` (basic.return), otherwise `nil`.
    package let replyCode: UInt16?
    package let location: ErrorLocation

    /// Makes an error that is located at the caller's line.
    package init(
        _ code: ErrorCode<PublishError>, _ message: String, replyCode: UInt16? = nil, fileID: StaticString = #fileID,
        line: UInt = #line
    ) {
        self.code = code
        self.message = message
        self.replyCode = replyCode
        location = ErrorLocation(fileID: fileID, line: line)
    }

    /// Whether publishing the same message later can succeed: `false` only for ``ErrorCode/tooLarge``.
    package var isTransient: Bool { code != .tooLarge }

    /// The code, the reply code if there is one, and the message.
    package var description: String {
        "\(code): \(replyCode.map { "\($0) " } ?? "")\(message)"
    }
}

extension ErrorCode where Failure == PublishError {
    /// Not connected, blocked by the broker, or too much in flight. Nothing was sent.
    package static var unavailable: Self { Self("unavailable") }
    /// No queue took the mandatory message (basic.return).
    package static var returned: Self { Self("returned") }
    /// The broker refused the message (basic.nack), for example because of a full queue with overflow `reject-publish`.
    package static var refused: Self { Self("refused") }
    /// The connection was lost, or the caller stopped waiting, before the confirm. The message may be in its queues.
    package static var outcomeUnknown: Self { Self("outcomeUnknown") }
    /// The body, a text or the headers exceed the limits of the connection. Nothing was sent.
    package static var tooLarge: Self { Self("tooLarge") }
}
