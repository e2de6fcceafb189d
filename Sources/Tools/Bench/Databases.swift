import BenchKit
import Contracts
import FoundationEssentials
import Logging
import Reactor
import Redis

/// Fills the databases, and empties the caches.
@Loop struct Databases {
    let stack: Stack
    let posts: SeedPosts

    /// Stores posts and indexes them.
    ///
    /// The posts are copied into the database of the post service. The index is filled by `compose/local
    /// rebuild-search`, so that the bench depends neither on the tables of the index nor on how words become stems.
    ///
    /// - Parameter numbers: the posts that the databases lack.
    func fill(_ numbers: Range<Int>) async throws -> (copySeconds: Double, indexSeconds: Double) {
        let posts = posts
        let start = ContinuousClock.now
        let copy = "COPY posts (\(SeedPosts.columns)) FROM STDIN"
        try await psql(stack.postDatabase, copy) {
            var next = numbers.lowerBound
            return {
                guard next < numbers.upperBound else { return nil }
                var text = ""
                let end = min(next + 1_000, numbers.upperBound)
                for number in next..<end { text += posts.row(number) }
                next = end
                return Array(text.utf8)
            }
        }
        // The service keeps the number of posts in this table.
        try await psql(stack.postDatabase, "UPDATE post_count SET posts = posts + \(numbers.count) WHERE slot = 0")
        // Autovacuum would do this during the measurements.
        try await psql(stack.postDatabase, "VACUUM ANALYZE posts")
        let copied = ContinuousClock.now
        try await emptyCaches()
        try await ChildProcess.run(stack.script, ["rebuild-search"])
        try await psql(stack.searchDatabase, "VACUUM ANALYZE")
        try await emptyCaches()
        return ((copied - start).seconds, (ContinuousClock.now - copied).seconds)
    }

    /// Makes each new post take 5 ms in the database, without using CPU time.
    func delayPosts() async throws {
        try await psql(
            stack.postDatabase,
            """
            CREATE OR REPLACE FUNCTION bench_delay() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_sleep(0.005); RETURN NEW; END $$;
            CREATE OR REPLACE TRIGGER bench_delay BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION bench_delay()
            """)
    }

    /// Ends the effect of ``delayPosts()``.
    func endDelay() async throws {
        try await psql(stack.postDatabase, "DROP FUNCTION bench_delay CASCADE")
    }

    /// Deletes everything from the Redis server of the caches.
    func emptyCaches() async throws {
        let client = RedisClient(
            address: try RedisAddress(url: stack.cache), name: "warren-bench",
            log: Logger(label: "warren-bench") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup { group in
            group.addTask { await client.run() }
            let deadline = ContinuousClock.now + .seconds(5)
            while !client.isConnected, .now < deadline { try await Loop.sleep(for: .milliseconds(10)) }
            _ = try await client.send(["FLUSHALL"], timeout: .seconds(10))
            await client.close()
        }
    }

    private func psql(
        _ database: String, _ statement: String, input: (@Sendable () -> (() -> [UInt8]?))? = nil
    ) async throws {
        // The list of processes shows the arguments of a program, so the password is passed in a variable.
        guard var address = URLComponents(string: database), let password = address.password else {
            throw BenchError("the address of a database has no password")
        }
        address.password = nil
        try await ChildProcess.run(
            "psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, address.string ?? ""],
            package: "postgresql-client", environment: ["PGPASSWORD": password], input: input)
    }
}

extension Duration {
    var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
