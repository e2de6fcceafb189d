internal import Contracts
internal import FoundationEssentials
internal import Reactor
internal import WorkerKit

/// Asks the post service for its posts, page by page, through the broker.
@Loop struct PostListing {
    /// The post service cannot be asked, or does not answer as it should.
    struct Failure: Error, CustomStringConvertible {
        let description: String
        /// Whether the same may succeed later.
        let isPassing: Bool
    }

    /// How long a page is asked for again before that is given up.
    static let patience: Duration = .seconds(120)
    private static let firstPause: Duration = .milliseconds(500)
    private static let longestPause: Duration = .seconds(10)

    let requester: Requester
    /// Is told why nothing goes on.
    let report: @Loop (String) -> Void

    /// The posts that follow a cursor, newest first; without one, the newest.
    ///
    /// - Throws: ``Failure``.
    func page(after cursor: String?) async throws -> Page<Post> {
        let request = ListRequest(limit: 100, cursor: cursor)
        let end = ContinuousClock.now + Self.patience
        var pause = Self.firstPause
        while true {
            switch await ask(request) {
            case .success(let page): return page
            case .failure(let failure) where failure.isPassing && .now + pause < end:
                report("waiting: \(failure)")
                try await Loop.sleep(for: pause)
                pause = min(pause * 2, Self.longestPause)
            case .failure(let failure): throw failure
            }
        }
    }

    private func ask(_ request: ListRequest) async -> Result<Page<Post>, Failure> {
        func failure(_ description: String, isPassing: Bool) -> Result<Page<Post>, Failure> {
            .failure(Failure(description: description, isPassing: isPassing))
        }
        let message = OutgoingRequest(
            Messages.Post.list.descriptor, caller: nil, body: request.jsonBytes(), requestID: UUID.v7().text)
        switch await requester.send(message) {
        case .reply(let reply) where reply.status == 200:
            guard let json = try? JSON.parse(reply.body, limits: .trusted), let page = try? Post.pageSchema.decode(json)
            else { return failure("the post service's answer is no page of posts", isPassing: false) }
            return .success(page)
        case .reply(let reply):
            return failure("the post service answers \(reply.status)", isPassing: reply.status >= 500)
        case .unavailable(let reason):
            return failure("the post service cannot be asked: \(reason)", isPassing: true)
        case .deadlineExceeded, .accepted, .outcomeUnknown:
            return failure("the post service does not answer", isPassing: true)
        }
    }
}
