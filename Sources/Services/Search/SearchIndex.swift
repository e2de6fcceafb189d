internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Keeps the index in step with the posts, from the post service's events alone; twice is once, in any order.
@Loop struct SearchIndex {
    let database: PostgresPool

    func created(_ event: CloudEvent<PostCreated>, _ context: HandlerContext) async throws {
        let post = event.data.post
        _ = try await database.query(
            SearchStatements.created, post.id, post.author.id, post.author.username, post.content,
            PostgresTimestamp(milliseconds: post.createdAt.milliseconds))
    }

    func deleted(_ event: CloudEvent<PostDeleted>, _ context: HandlerContext) async throws {
        _ = try await database.query(SearchStatements.deleted, event.data.id, event.data.authorId)
    }
}
