internal import Postgres
package import Reactor

/// A failed rebuild of the search index.
package struct RebuildError: CodedError {
    package let code: ErrorCode<RebuildError>
    package let message: String
    package let cause: (any Error)?
    package let location: ErrorLocation

    /// Whether the rebuild can succeed if it is run again later.
    package var isTransient: Bool {
        switch code {
        case .brokerUnavailable, .replyQueueUnavailable, .postServiceUnavailable: true
        case .database: (cause as? PostgresError)?.isTransient ?? false
        default: false
        }
    }

    init(
        _ code: ErrorCode<RebuildError>, _ message: String, cause: (any Error)? = nil, fileID: StaticString = #fileID,
        line: UInt = #line
    ) {
        self.code = code
        self.message = message
        self.cause = cause
        location = ErrorLocation(fileID: fileID, line: line)
    }
}

extension ErrorCode where Failure == RebuildError {
    /// The broker cannot be reached.
    package static var brokerUnavailable: Self { Self("broker-unavailable") }
    /// The reply queue cannot be consumed, because it does not exist or another rebuild consumes it.
    package static var replyQueueUnavailable: Self { Self("reply-queue-unavailable") }
    /// The request could not be sent, or the post service did not reply in time, or its status was 500 or more.
    package static var postServiceUnavailable: Self { Self("post-service-unavailable") }
    /// The post service's reply is not a page of posts.
    package static var unexpectedReply: Self { Self("unexpected-reply") }
    /// The post service's pages are not ordered from the newest post to the oldest.
    package static var listOutOfOrder: Self { Self("list-out-of-order") }
    /// A statement on the search database failed.
    package static var database: Self { Self("database") }
}
