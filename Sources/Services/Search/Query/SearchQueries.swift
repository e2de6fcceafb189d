internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Searches posts. Replies are cached.
@Loop struct SearchQueries {
    let database: PostgresPool
    let cache: ListCache
    let lexicon: Lexicon
    let survey: IndexSurvey
    let frequentStems = FrequentStems()

    func posts(_ search: SearchPosts, _ context: HandlerContext) async throws -> Reply {
        let key = "\(search.limit):\(search.page):\(search.query)"
        return .json(try await cache.body(key) { try await page(search).jsonBytes() })
    }

    /// Searches for the words of the search. If no post matches, searches again with similar words in place of the
    /// words that no post has.
    private func page(_ search: SearchPosts) async throws -> Page<SearchHit> {
        let deadline = ContinuousClock.now + .seconds(5)
        let expression = SearchExpression(search.query)
        try await lexicon.load([search.query], deadline: deadline)
        guard let query = TSQuery(expression, lexicon) else { return page(Found(), search) }
        var found = try await hits(query, search, deadline)
        if found.total == 0, found.isExact {
            try await lexicon.load([search.query], deadline: deadline)
            let expansions = try await WordExpansions(
                for: expression, lexicon, in: database, survey, deadline: deadline)
            for replacements in expansions.attempts where found.total == 0 {
                found = try await hits(expanded(expression, replacements, search, deadline), search, deadline)
            }
        }
        return page(found, search)
    }

    /// Returns the query in which some words are replaced; `nil` if no alternative has a stem that must be present.
    ///
    /// - Parameter replacements: for each word to replace, the words that match in its place.
    private func expanded(
        _ expression: SearchExpression, _ replacements: [String: [String]], _ search: SearchPosts,
        _ deadline: ContinuousClock.Instant
    ) async throws -> TSQuery? {
        try await lexicon.load([search.query] + replacements.values.joined(), deadline: deadline)
        let expansions = replacements.mapValues { words in
            words.compactMap { Tokenizer.words(of: $0).first.map { lexicon[$0] } }.filter { !$0.isEmpty }
        }
        return TSQuery(expression, lexicon, expansions: expansions)
    }

    /// The hits of a page, and the total of all pages.
    private struct Found {
        var hits: [SearchHit] = []
        var total = 0
        var isExact = true
    }

    private func hits(
        _ query: TSQuery?, _ search: SearchPosts, _ deadline: ContinuousClock.Instant
    ) async throws -> Found {
        guard let query else { return Found() }
        let limit = SearchStatements.countedLimit
        let isFrequent = try await isFrequent(query, deadline)
        let counted = isFrequent ? SearchStatements.rankedLimit : limit
        let rows = try await rows(query, search, counting: counted, deadline)
        guard let first = rows.first else { return Found() }
        let (total, isComplete) = (try first.get(0, as: Int.self), try first.get(1, as: Bool.self))
        // A page without hits is one row with only the total.
        let found = try rows.filter { try $0.get(2, as: UUID?.self) != nil }
        try await lexicon.load(try found.map { try $0.get(5, as: String.self) }, deadline: deadline)
        // If posts were deleted since the frequent stem was counted, the total can be exact nevertheless.
        let isExact = isComplete && total <= counted
        return Found(
            hits: try found.map { try SearchHit($0) { query.highlighted.contains(lexicon[$0]) } },
            total: isFrequent && !isExact ? limit : min(total, limit), isExact: isExact)
    }

    /// Whether more posts match a query than are counted, because they all have one frequent stem.
    ///
    /// The posts with a stem that may be frequent are counted first if the last count is too old.
    private func isFrequent(_ query: TSQuery, _ deadline: ContinuousClock.Instant) async throws -> Bool {
        let stems = query.singleStems.filter { survey.mayExceedCount($0) }
        if stems.contains(where: { frequentStems.contains($0) }) { return true }
        let limit = SearchStatements.countedLimit
        for stem in stems {
            let search = SearchPosts(query: "", limit: 1, page: 1)
            let rows = try await rows(TSQuery(stem: stem), search, counting: limit, deadline)
            if try rows.first?.get(0, as: Int.self) ?? 0 > limit {
                frequentStems.insert(stem)
                return true
            }
        }
        return false
    }

    /// Runs a search.
    ///
    /// - Parameter limit: the number of hits to count.
    private func rows(
        _ query: TSQuery, _ search: SearchPosts, counting limit: Int, _ deadline: ContinuousClock.Instant
    ) async throws -> Rows {
        let offset = (search.page - 1) * search.limit
        guard let parts = survey.parts(for: query) else {
            return try await database.query(
                SearchStatements.search, query.text, search.limit, offset, limit + 1, deadline: deadline)
        }
        let cover = parts.cover
        return try await database.query(
            SearchStatements.searchInParts, query.text, search.limit, offset, limit + 1, cover.buckets, cover.ends,
            deadline: deadline)
    }

    private func page(_ found: Found, _ search: SearchPosts) -> Page<SearchHit> {
        Page(
            items: found.hits, limit: search.limit,
            number: .init(page: search.page, total: found.total, isExact: found.isExact))
    }
}

extension SearchHit {
    /// Decodes a row of ``SearchStatements/search``.
    ///
    /// - Parameter isMatch: returns whether to mark a word in the highlight.
    fileprivate init(_ row: Row, isMatch: (Tokenizer.Word) -> Bool) throws(PostgresError) {
        let (_, _, id, authorID, authorName, content, createdAt, score) = try row.decode(
            (Int, Bool, UUID, UUID, String, String, Timestamp, Double).self)
        self.init(
            id: id, author: Author(id: authorID, username: authorName), content: content,
            createdAt: createdAt, score: score,
            highlight: Highlight.html(content, isMatch: isMatch))
    }
}
