internal import Postgres
package import Reactor

/// A failed rebuild of the search index.
package struct RebuildError: CodedError {
    package let code: ErrorCode<RebuildError>
    package let message: String
    package let cause: (any Error)?
    package let location: ErrorLocation

    /// Whether the same command can succeed later.
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
    package static var brokerUnavailable: Self { Self("brokerUnavailable") }
    /// The queue of replies cannot be consumed: another rebuild consumes it, or it does not exist.
    package static var replyQueueUnavailable: Self { Self("replyQueueUnavailable") }
    /// The post service does not reply, or replies with a status of 500 or more.
    package static var postServiceUnavailable: Self { Self("postServiceUnavailable") }
    /// The post service's reply is not a page of posts.
    package static var unexpectedReply: Self { Self("unexpectedReply") }
    /// The post service's pages are not ordered from the newest post to the oldest.
    package static var listOutOfOrder: Self { Self("listOutOfOrder") }
    /// A statement on the search database failed.
    package static var database: Self { Self("database") }
}
