internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Adds posts to the index and removes them. All operations are idempotent and can come in any order.
@Loop struct SearchIndex {
    let database: PostgresPool
    let stemmer: Stemmer
    let vocabulary = VocabularyCache()

    /// Adds posts in one statement. An indexed post gets new words if an earlier version split its text
    /// differently; a post with a tombstone stays deleted.
    ///
    /// - Returns: the number of posts that were added or changed.
    @discardableResult func add(_ posts: [Post]) async throws -> Int {
        let contents = posts.map(\.content)
        try await stemmer.load(contents)
        let vectors = contents.map { stemmer.vector(of: $0) }
        let words = vocabulary.newWords(in: contents)
        let added = try await database.query(
            SearchStatements.add, posts.map(\.id), posts.map(\.author.id), posts.map(\.author.username), contents,
            posts.map(\.createdAt), vectors, words)
        // After the statement, because a failed one adds no words.
        vocabulary.insert(words)
        return added.affected
    }

    /// Leaves a tombstone for each post, whether or not it is indexed.
    func remove(_ posts: [PostDeleted]) async throws {
        _ = try await database.query(SearchStatements.remove, posts.map(\.id), posts.map(\.authorId))
    }

    /// Leaves tombstones for the indexed posts in a part of the list of all posts that are not listed there.
    ///
    /// - Parameters:
    ///   - start: the newer end of the part, exclusive.
    ///   - end: the older end of the part, inclusive.
    ///   - time: posts that are younger stay.
    ///   - listed: the posts that the list has in this part.
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
    // The handlers do not use the batch's transaction: each is one statement, and the vocabulary cache may
    // only learn words that are committed.

    func created(_ batch: Batch<CloudEvent<PostCreated>>) async throws {
        try await add(batch.members.map { $0.body.data.post })
    }

    func deleted(_ batch: Batch<CloudEvent<PostDeleted>>) async throws {
        try await remove(batch.members.map { $0.body.data })
    }
}
