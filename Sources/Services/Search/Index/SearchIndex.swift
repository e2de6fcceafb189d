internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Adds posts to the index and removes them. All operations are idempotent and can come in any order.
@Loop struct SearchIndex {
    let database: PostgresPool
    let lexicon: Lexicon

    /// Adds posts in one statement.
    ///
    /// If a post is already indexed, but an earlier version of the tokenizer split its text differently, the post
    /// gets the new words. A post with a tombstone stays deleted.
    ///
    /// - Returns: the number of posts that were added or changed.
    @discardableResult func add(_ posts: [Post]) async throws -> Int {
        let contents = posts.map(\.content)
        let analysis = try await lexicon.analyze(contents)
        let added = try await database.query(
            SearchStatements.add, posts.map(\.id), posts.map(\.author.id), posts.map(\.author.username), contents,
            posts.map(\.createdAt), analysis.vectors, Array(analysis.newWords))
        // The words are recorded after the statement, because a failed statement adds no words to the table.
        lexicon.recordInVocabulary(analysis)
        return added.affected
    }

    /// Leaves a tombstone for each post, whether or not the post is indexed. A tombstone is a row without content,
    /// which keeps a later delivery of the creation event from indexing the post.
    func remove(_ posts: [PostDeleted]) async throws {
        _ = try await database.query(SearchStatements.remove, posts.map(\.id), posts.map(\.authorId))
    }

    /// Compares a part of the index with the same part of the list of posts, and leaves a tombstone for each indexed
    /// post that the list does not have.
    ///
    /// - Parameters:
    ///   - start: the newer end of the part, exclusive.
    ///   - end: the older end of the part, inclusive.
    ///   - time: posts that were created at this time or later are not removed.
    ///   - listed: the ids of the posts that the list has in this part.
    /// - Returns: the number of removed posts.
    func removeUnlisted(
        from start: ListPosition, to end: ListPosition, olderThan time: Timestamp, keeping listed: [UUID]
    ) async throws -> Int {
        var count = 0
        var batch = 0
        repeat {
            batch = try await database.query(
                SearchStatements.removeUnlisted, time, start.time, start.id, end.time, end.id, listed
            ).affected
            count += batch
        } while batch == SearchStatements.removeUnlistedLimit
        return count
    }
}

extension SearchIndex {
    // The handlers do not use the batch's transaction, because each of them runs one statement, and because the
    // lexicon must record only words that are committed.

    func created(_ batch: Batch<CloudEvent<PostCreated>>) async throws {
        try await add(batch.members.map { $0.body.data.post })
    }

    func deleted(_ batch: Batch<CloudEvent<PostDeleted>>) async throws {
        try await remove(batch.members.map { $0.body.data })
    }
}
