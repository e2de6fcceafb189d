package import Reactor

/// The reason why a message was not published, or why it is unknown whether it was published.
package struct PublishError: CodedError {
    package let code: ErrorCode<PublishError>
    /// The details. For ``ErrorCode/returned`` this is the broker's reply text.
    package let message: String
    /// The broker's reply code for ``ErrorCode/returned`` (basic.return), otherwise `nil`.
    package let replyCode: UInt16?
    package let location: ErrorLocation

    /// Makes an error. Its location is the caller's line.
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
    /// The publisher is closed or not connected, the broker blocks publishers, or too much is in flight. The message
    /// was not sent.
    package static var unavailable: Self { Self("unavailable") }
    /// The mandatory message was routed to no queue (basic.return).
    package static var returned: Self { Self("returned") }
    /// The broker refused the message (basic.nack), for example because of a full queue with overflow `reject-publish`.
    package static var refused: Self { Self("refused") }
    /// Before the confirm, the connection was lost or the caller stopped waiting. The message may be in its queues.
    package static var outcomeUnknown: Self { Self("outcome-unknown") }
    /// The body, a text or the headers exceed a limit. The message was not sent.
    package static var tooLarge: Self { Self("too-large") }
}
