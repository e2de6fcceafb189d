internal import Contracts
internal import Logging
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Finds out how the posts are distributed over time and which stems are frequent, and divides the index into parts of
/// a known number of posts.
///
/// The result only determines the cost of searches. Searches find the same posts with any parts, so the result may be
/// out of date. Until the first survey, the whole index is one part.
@Loop final class IndexSurvey {
    /// The numbers of posts in the first parts. The first part contains the newest posts.
    static let firstSizes = [Int64](repeating: 1_024, count: 64)
    /// The smallest number of posts in each other part.
    static let size: Int64 = 65_536
    /// The maximum number of other parts. In a large index they have more than ``size`` posts.
    static let partLimit: Int64 = 64
    /// If a search is expected to have at most this many hits, and at most ``rareStemLimit`` posts have its rarest
    /// word, it reads the whole index at once.
    private static let rareLimit = 4_000.0
    private static let rareStemLimit = 10_000.0
    /// The number of hits that a search expects in each part that it reads, after the hits that it ranks.
    private static let countedHits = 4_000.0
    /// After this time, all parts are determined again; before, only the newest ones.
    private static let fullInterval: Duration = .seconds(3600)

    private let job = PeriodicJob(every: .seconds(20) ... .seconds(30))
    private let database: PostgresPool
    private let log: Logger
    private var boundaries: [Int64] = []
    private var nextFullSurvey = ContinuousClock.now
    private var statistics: StemStatistics?
    /// The number of posts in each of the other parts.
    private var currentSize = IndexSurvey.size
    /// The current parts.
    private(set) var parts = IndexParts(boundaries: [], rest: IndexSurvey.size, now: IndexSurvey.now)

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

    /// Returns the parts that a search reads; `nil` if it reads the whole index at once.
    ///
    /// The first part is expected to have 10 % more hits than are ranked, so that usually only one part is ranked.
    func parts(for query: TSQuery) -> IndexParts? {
        guard let statistics else { return parts }
        let frequency = statistics.frequency(of: query) { $0.min() ?? 1 }
        let expected = statistics.frequency(of: query) { $0.reduce(1, *) }
        if frequency * statistics.posts <= Self.rareStemLimit, expected * statistics.posts <= Self.rareLimit {
            return nil
        }
        return parts.merged { posts, isFirst in
            let wanted = isFirst ? 1.1 * Double(SearchStatements.rankedLimit) : Self.countedHits
            return frequency * Double(posts) >= wanted
        }
    }

    /// Whether more posts may have a stem than a search counts. Stems that have hardly more are excluded, because they
    /// are not worth a count of their own, and stems that are not common, because nothing but an upper bound is known
    /// of their frequency.
    func mayExceedCount(_ stem: String) -> Bool {
        guard let statistics, let frequency = statistics.commonFrequency(of: stem) else { return false }
        return frequency * statistics.posts > 1.5 * Double(SearchStatements.countedLimit)
    }

    /// Determines the parts and the frequent stems, and flushes the index's list of pending entries.
    ///
    /// A full survey reads one index entry per post. Other surveys read only the posts that are newer than the newest
    /// boundary that is kept.
    func survey() async throws {
        try await flushPendingList()
        if let row = try await database.query(SearchStatements.statistics).first {
            statistics = try StemStatistics(row)
        }
        let isFull = ContinuousClock.now >= nextFullSurvey
        let kept = isFull ? [] : Array(boundaries.dropFirst(Self.firstSizes.count))
        let posts = Int64(statistics?.posts ?? 0)
        currentSize = max(Self.size, posts / Self.partLimit)
        let rows = try await database.query(
            SearchStatements.boundaries, Self.firstSizes, currentSize, kept.first ?? 0)
        let found = try rows.map { try $0.get(0, as: Int64.self) }
        boundaries = found.filter { $0 > kept.first ?? 0 } + kept
        if isFull { nextFullSurvey = .now + Self.fullInterval }
        let sizes = boundaries.indices.map { $0 < Self.firstSizes.count ? Self.firstSizes[$0] : currentSize }
        let pairs = zip(boundaries, sizes).map { (time: $0, posts: $1) }
        parts = IndexParts(boundaries: pairs, rest: currentSize, now: Self.now)
    }

    private func flushPendingList() async throws(PostgresError) {
        do {
            _ = try await database.query(SearchStatements.flushPendingList)
        } catch {
            // A server that refuses writes cannot flush the list, but it can be surveyed (25006, 55000).
            guard error.sqlState == "25006" || error.sqlState == "55000" else { throw error }
            log.debug("pending entries were not flushed", metadata: ["error": "\(error)"])
        }
    }

    private nonisolated static var now: Int64 { Timestamp.now().milliseconds / 1000 }
}

/// How many posts have a stem, from PostgreSQL's statistics. They are estimates from a sample, which autovacuum renews.
struct StemStatistics: Sendable, Hashable {
    /// The number of posts.
    let posts: Double
    /// The frequencies of the most common stems.
    private let frequencies: [String: Double]
    /// An upper bound of the frequencies of all other stems.
    private let lowest: Double
    /// The number of stems in a full list of the most common stems, with the default statistics target.
    private static let fullCount = 1_000
    /// If the list is not full, it has all stems that are more frequent than this.
    private static let sampledFrequency = 0.001

    /// Decodes a row of ``SearchStatements/statistics``. Returns `nil` if there are no statistics.
    init?(_ row: Row) throws(PostgresError) {
        let (posts, stems, frequencies, lowest) = try row.decode(
            (Double, [String]?, [Double]?, Double?).self)
        guard posts > 0, let stems, let frequencies, let lowest else { return nil }
        self.posts = posts
        self.frequencies = Dictionary(zip(stems, frequencies)) { first, _ in first }
        self.lowest = stems.count < Self.fullCount ? min(lowest, Self.sampledFrequency) : lowest
    }

    /// Returns the frequency of a common stem, as a fraction of all posts; `nil` if the stem is not common.
    func commonFrequency(of stem: String) -> Double? { frequencies[stem] }

    /// Returns the frequency of a stem, as a fraction of all posts. It is an upper bound for a stem that is not common.
    func frequency(of stem: String) -> Double { frequencies[stem] ?? lowest }

    /// Returns the fraction of the posts that match a query.
    ///
    /// - Parameter combined: combines the frequencies of the terms that a post must have. The smallest one gives an
    ///   upper bound; their product is right if the terms are independent.
    func frequency(of query: TSQuery, _ combined: ([Double]) -> Double) -> Double {
        min(
            1,
            query.required.reduce(0) { sum, terms in
                // A term without lexemes is a prefix search, whose frequency is unknown.
                sum
                    + combined(
                        terms.map { $0.isEmpty ? 1 : min(1, $0.reduce(0) { $0 + frequency(of: $1) }) })
            })
    }
}
