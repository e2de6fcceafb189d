internal import Contracts
internal import FoundationEssentials
internal import Reactor
internal import WorkerKit

/// Requests pages of posts from the post service through the broker.
@Loop struct PostListClient {
    /// The time limit for requesting one page, including the retries after transient failures.
    private static let timeLimit: Duration = .seconds(120)

    let requester: Requester
    /// Called before the pause that precedes a retry, with a line that states the reason.
    let onRetry: @Loop (String) -> Void

    /// Returns the page of posts after a cursor, newest first; the newest posts if the cursor is `nil`.
    ///
    /// - Throws: ``RebuildError`` if a failure is permanent or lasts longer than two minutes.
    func page(after cursor: String?) async throws -> Page<Post> {
        let request = ListRequest(limit: 100, cursor: cursor)
        let deadline = ContinuousClock.now + Self.timeLimit
        var backoff = Backoff(.milliseconds(500) ... .seconds(10))
        while true {
            do throws(RebuildError) {
                return try await attempt(request)
            } catch {
                let pause = backoff.next()
                guard error.isTransient, .now + pause < deadline else { throw error }
                onRetry("retrying: \(error.message)")
                try await Loop.sleep(for: pause)
            }
        }
    }

    private func attempt(_ request: ListRequest) async throws(RebuildError) -> Page<Post> {
        let message = OutgoingRequest(
            Messages.Post.list.descriptor, caller: nil, body: request.jsonBytes(), requestID: UUID.v7().text)
        switch await requester.send(message) {
        case .reply(let reply) where reply.status == 200:
            guard let json = try? JSON.parse(reply.body, limits: .trusted), let page = try? Post.pageSchema.decode(json)
            else { throw RebuildError(.unexpectedReply, "the post service's reply is not a page of posts") }
            return page
        case .reply(let reply):
            throw RebuildError(
                reply.status >= 500 ? .postServiceUnavailable : .unexpectedReply,
                "the post service replied with status \(reply.status)")
        case .unavailable(let reason):
            throw RebuildError(.postServiceUnavailable, "the request could not be sent to the post service: \(reason)")
        case .shareExceeded:
            throw RebuildError(.postServiceUnavailable, "too many requests are in flight")
        case .deadlineExceeded, .accepted, .outcomeUnknown:
            throw RebuildError(.postServiceUnavailable, "the post service did not reply in time")
        }
    }
}
