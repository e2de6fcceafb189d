internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Keeps the index in step with the posts; twice is once, in any order.
@Loop struct SearchIndex {
    let database: PostgresPool
    let stems: Stems
    let known = KnownWords()

    /// Adds posts in one statement; those that are there already, deleted ones too, are left as they are.
    ///
    /// - Returns: how many were not there.
    @discardableResult func add(_ posts: [Post]) async throws -> Int {
        let contents = posts.map(\.content)
        try await stems.learn(contents)
        let vectors = contents.map { stems.vector(of: $0) }
        let words = known.unknown(in: contents)
        let added = try await database.query(
            SearchStatements.add, posts.map(\.id), posts.map(\.author.id), posts.map(\.author.username), contents,
            posts.map { PostgresTimestamp(milliseconds: $0.createdAt.milliseconds) }, vectors, words)
        // Not before: of a statement that failed, nothing is there.
        known.remember(words)
        return added.affected
    }

    /// Leaves a tombstone for each post, whether or not it was there.
    func remove(_ posts: [PostDeleted]) async throws {
        _ = try await database.query(SearchStatements.remove, posts.map(\.id), posts.map(\.authorId))
    }
}

extension SearchIndex {
    /// Leaves a tombstone for each post between two places of the list of all posts that is not in the list.
    ///
    /// - Parameters:
    ///   - start: not in it itself.
    ///   - end: in it.
    ///   - time: what is no older is left alone.
    ///   - listed: the posts that the list has there.
    /// - Returns: how many there were.
    func sweep(
        from start: ListPlace, to end: ListPlace, olderThan time: Timestamp, keeping listed: [UUID]
    ) async throws -> Int {
        func instant(_ time: Timestamp) -> PostgresTimestamp { PostgresTimestamp(milliseconds: time.milliseconds) }
        var count = 0
        var batch = 0
        repeat {
            batch = try await database.query(
                SearchStatements.sweep, instant(time), instant(start.time), start.id, instant(end.time), end.id, listed
            ).affected
            count += batch
        } while batch == SearchStatements.sweepLimit
        return count
    }
}

extension SearchIndex {
    // One statement commits by itself, and what it teaches is remembered only then: it needs no transaction of the batch.

    func created(_ batch: Batch<CloudEvent<PostCreated>>) async throws {
        try await add(batch.members.map { $0.body.data.post })
    }

    func deleted(_ batch: Batch<CloudEvent<PostDeleted>>) async throws {
        try await remove(batch.members.map { $0.body.data })
    }
}
