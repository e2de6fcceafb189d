internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Keeps the index in step with the posts, from the post service's events alone; twice is once, in any order.
@Loop struct SearchIndex {
    let database: PostgresPool

    func created(_ batch: Batch<CloudEvent<PostCreated>>) async throws {
        let posts = batch.members.map { $0.body.data.post }
        // Not awaited: it travels with the commit, which fails where it does.
        try await batch.transaction().send(
            SearchStatements.created, posts.map { $0.id }, posts.map { $0.author.id }, posts.map { $0.author.username },
            posts.map { $0.content }, posts.map { PostgresTimestamp(milliseconds: $0.createdAt.milliseconds) })
    }

    func deleted(_ event: CloudEvent<PostDeleted>, _ context: HandlerContext) async throws {
        _ = try await database.query(SearchStatements.deleted, event.data.id, event.data.authorId)
    }
}
