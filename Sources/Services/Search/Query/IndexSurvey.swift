internal import Contracts
internal import Logging
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Finds out how the posts are distributed over time and which stems are frequent, and divides the index into parts of a
/// known number of posts.
///
/// The result only determines the cost of searches. Searches find the same posts with any parts, so the result may be
/// out of date. Until the first survey, the whole index is one part.
@Loop final class IndexSurvey {
    /// The numbers of posts in the first parts. The first part contains the newest posts.
    static let firstSizes: [Int64] = [4_096, 12_288, 49_152]
    /// The smallest number of posts in each other part. It limits the cost of a search that reads one part more than it
    /// needs.
    static let size: Int64 = 65_536
    /// The number of parts into which the index is divided if more posts than ``size`` would otherwise need more.
    static let partLimit: Int64 = 64
    /// A search is rare if its rarest words have at most this many posts, …
    private static let rareStemLimit = 20_000.0
    /// … and if it has at most this many hits. It reads the whole index at once.
    private static let rareHitLimit = 4_000.0
    /// After this time, all parts are determined again; before, only the newest ones.
    private static let fullInterval: Duration = .seconds(3600)

    private let job = PeriodicJob(every: .seconds(20) ... .seconds(30))
    private let database: PostgresPool
    private let log: Logger
    private var boundaries: [Int64] = []
    private var nextFullSurvey = ContinuousClock.now
    private var statistics: StemStatistics?
    /// The current parts.
    private(set) var parts = IndexParts.whole(now: IndexSurvey.now)

    init(database: PostgresPool, log: Logger) {
        self.database = database
        self.log = log
    }

    /// Surveys the index at once, and then periodically until the survey is closed or the task is cancelled.
    func run() async {
        job.nudge()
        await job.run(log: log, onFailure: "the search index could not be surveyed") { try await survey() }
    }

    /// Ends ``run()`` after the current survey.
    func close() {
        job.close()
    }

    /// Returns the parts that a search reads.
    func parts(for query: TSQuery) -> IndexParts {
        guard let statistics,
            statistics.frequency(of: query, { $0.min() ?? 1 }) * statistics.posts <= Self.rareStemLimit,
            statistics.frequency(of: query, { $0.reduce(1, *) }) * statistics.posts <= Self.rareHitLimit
        else { return parts }
        return .whole(now: Self.now)
    }

    /// Whether so many posts may have a stem that it must be looked up part by part.
    func isFrequent(_ stem: String) -> Bool {
        guard let statistics else { return true }
        return statistics.frequency(of: stem) * statistics.posts > Self.rareStemLimit
    }

    /// Determines the parts and the frequent stems.
    ///
    /// A survey reads an index entry for each post down to the newest old boundary that is kept, or for all posts.
    func survey() async throws {
        if let row = try await database.query(SearchStatements.statistics).first {
            statistics = try StemStatistics(row)
        }
        let isFull = ContinuousClock.now >= nextFullSurvey
        let kept = isFull ? [] : Array(boundaries.dropFirst(Self.firstSizes.count))
        let posts = Int64(statistics?.posts ?? 0)
        let rows = try await database.query(
            SearchStatements.boundaries, Self.firstSizes, max(Self.size, posts / Self.partLimit), kept.first ?? 0)
        let found = try rows.map { try $0.get(0, as: Int64.self) }
        boundaries = found.filter { $0 > kept.first ?? 0 } + kept
        if isFull { nextFullSurvey = .now + Self.fullInterval }
        parts = IndexParts(boundaries: boundaries, now: Self.now)
    }

    private nonisolated static var now: Int64 { Timestamp.now().milliseconds / 1000 }
}

/// How many posts have a stem, from PostgreSQL's statistics. They are estimates from a sample, which autovacuum renews.
struct StemStatistics: Sendable, Hashable {
    /// The number of posts.
    let posts: Double
    /// The frequencies of the most common stems.
    private let frequencies: [String: Double]
    /// The lowest of these frequencies. Every other stem is less frequent.
    private let lowest: Double

    /// Decodes a row of ``SearchStatements/statistics``. Returns `nil` if there are no statistics.
    init?(_ row: Row) throws(PostgresError) {
        let (posts, stems, frequencies, lowest) = try row.decode(
            (Double, [String]?, [Double]?, Double?).self)
        guard posts > 0, let stems, let frequencies, let lowest else { return nil }
        self.init(posts: posts, frequencies: Dictionary(zip(stems, frequencies)) { first, _ in first }, lowest: lowest)
    }

    init(posts: Double, frequencies: [String: Double], lowest: Double) {
        self.posts = posts
        self.frequencies = frequencies
        self.lowest = lowest
    }

    /// Returns the frequency of a stem, as a fraction of all posts. It is an upper bound for a stem that is not common.
    func frequency(of stem: String) -> Double { frequencies[stem] ?? lowest }

    /// Returns the frequency of a query.
    ///
    /// - Parameter combined: combines the frequencies of the terms that a post must have.
    func frequency(of query: TSQuery, _ combined: ([Double]) -> Double) -> Double {
        query.required.reduce(0) { sum, terms in
            sum + combined(terms.map { stems in min(1, stems.reduce(0) { $0 + frequency(of: $1) }) })
        }
    }
}
