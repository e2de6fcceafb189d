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
        do {
            return .json(
                try await cache.body(key) {
                    let found = try await find(search)
                    let body = page(found, search).jsonBytes()
                    if found.isPartial { throw PartialPage(body: body) }
                    return body
                })
        } catch let partial as PartialPage {
            return .json(partial.body)
        }
    }

    /// A page without the posts with similar words. It is thrown, so that it is not cached.
    private struct PartialPage: Error {
        let body: [UInt8]
    }

    /// If a search has fewer hits than this, posts with similar words are listed below them.
    private static let expandedBelow = 20
    /// A search that takes longer than this is not continued with similar words. It is shorter than the deadline, so
    /// that the hits that were found reach the client in time.
    private static let expansionTime: Duration = .seconds(3)

    /// Searches for the words of the search. As long as few posts match, also searches for words that begin with them,
    /// and then for similarly spelled words. If that takes too long, returns the hits that were found so far.
    private func find(_ search: SearchPosts) async throws -> Found {
        let start = ContinuousClock.now
        let deadline = start + .seconds(5)
        let expression = SearchExpression(search.query)
        let entries = try await lexicon.load(expression.texts, deadline: deadline)
        guard let query = TSQuery(expression, entries) else { return Found() }
        let slice = Slice(offset: (search.page - 1) * search.limit, limit: search.limit)
        var found = try await hits(query, slice, deadline)
        guard found.isExact, found.total < Self.expandedBelow else { return found }
        let expansionDeadline = start + Self.expansionTime
        do {
            for query in try await similarQueries(expression, entries, query, expansionDeadline)
            where found.total < Self.expandedBelow {
                try await found.append(hits(query, slice.after(found.total), expansionDeadline), limit: search.limit)
            }
        } catch let error as PostgresError where error.isTimeout {
            found.isExact = false
            found.isPartial = true
        }
        return found
    }

    /// Returns the queries that find the posts with words that begin with the words of a search, and the posts with
    /// words of few typing errors. Neither finds the posts that an earlier query finds.
    private func similarQueries(
        _ expression: SearchExpression, _ typed: Lexicon.Entries, _ exact: TSQuery,
        _ deadline: ContinuousClock.Instant
    ) async throws -> [TSQuery] {
        let expansions = try await WordExpansions(for: expression, typed, in: database, deadline: deadline)
        let attempts = [expansions.prefixMatches, expansions.all].filter { !$0.isEmpty }
        let texts = expression.texts + attempts.flatMap { $0.values.joined() }
        let entries = try await lexicon.load(texts, deadline: deadline)
        var queries = [exact]
        for words in attempts {
            // The vocabulary may have words that are stop words of the current language.
            let lexemes = words.mapValues { words in
                words.compactMap { entries[Array($0.utf8)] }.filter { !$0.isStopWord }.flatMap(\.stems)
            }
            guard let query = TSQuery(expression, entries, expansions: lexemes), query.text != queries.last?.text else {
                continue
            }
            queries.append(query)
        }
        return zip(queries.dropFirst(), queries).map { $0.excluding($1) }
    }

    /// A part of a list of hits.
    private struct Slice {
        let offset: Int
        let limit: Int

        /// Returns the slice of a list that begins after `count` hits of another list.
        func after(_ count: Int) -> Slice {
            let end = max(0, offset + limit - count)
            return Slice(offset: max(0, offset - count), limit: min(limit, end))
        }
    }

    /// The hits of a page, and the total of all pages.
    private struct Found {
        var hits: [SearchHit] = []
        var total = 0
        var isExact = true
        /// Whether the posts with similar words are missing, because they could not be found in time.
        var isPartial = false

        /// Appends hits that rank lower.
        mutating func append(_ other: Found, limit: Int) {
            hits += other.hits.prefix(limit - hits.count)
            isExact = isExact && other.isExact && total + other.total <= SearchStatements.countedLimit
            total = min(total + other.total, SearchStatements.countedLimit)
        }
    }

    private func hits(
        _ query: TSQuery, _ slice: Slice, _ deadline: ContinuousClock.Instant
    ) async throws -> Found {
        let limit = SearchStatements.countedLimit
        let isFrequent = try await isFrequent(query, deadline)
        let counted = isFrequent ? SearchStatements.rankedLimit : limit
        let rows = try await rows(query, slice, counting: counted, deadline)
        guard let first = rows.first else { return Found() }
        let (total, isComplete) = (try first.get(0, as: Int.self), try first.get(1, as: Bool.self))
        // A page without hits is one row with only the total.
        let found = try rows.filter { try $0.get(2, as: UUID?.self) != nil }
        let texts = await TokenizedText.of(try found.map { try $0.get(5, as: String.self) })
        let entries = try await lexicon.load(texts, deadline: deadline)
        var hits: [SearchHit] = []
        for (number, batch) in TokenizedText.batches(of: texts).enumerated() {
            if number > 0 { await Task.yield() }
            for index in batch { hits.append(try SearchHit(found[index], texts[index], query, entries)) }
        }
        // If posts were deleted since the frequent lexeme was counted, the total can be exact nevertheless.
        let isExact = isComplete && total <= counted
        return Found(
            hits: hits, total: isFrequent && !isExact ? limit : min(total, limit), isExact: isExact)
    }

    /// Whether more posts match a query than are counted, because they all have one frequent stem.
    ///
    /// The posts with a stem that may be frequent are counted first if the last count is too old.
    private func isFrequent(_ query: TSQuery, _ deadline: ContinuousClock.Instant) async throws -> Bool {
        let lexemes = query.singleLexemes.filter { survey.mayExceedCount($0) }
        if lexemes.contains(where: { frequentStems.contains($0) }) { return true }
        let limit = SearchStatements.countedLimit
        for lexeme in lexemes {
            let slice = Slice(offset: 0, limit: 1)
            let rows = try await rows(TSQuery(lexeme: lexeme), slice, counting: limit, deadline)
            if try rows.first?.get(0, as: Int.self) ?? 0 > limit {
                frequentStems.insert(lexeme)
                return true
            }
        }
        return false
    }

    /// Runs a search.
    ///
    /// - Parameter limit: the number of hits to count.
    private func rows(
        _ query: TSQuery, _ slice: Slice, counting limit: Int, _ deadline: ContinuousClock.Instant
    ) async throws -> Rows {
        guard let parts = survey.parts(for: query) else {
            return try await database.query(
                SearchStatements.search, query.text, slice.limit, slice.offset, limit + 1, deadline: deadline)
        }
        let cover = parts.cover
        return try await database.query(
            SearchStatements.searchInParts, query.text, slice.limit, slice.offset, limit + 1, cover.buckets, cover.ends,
            deadline: deadline)
    }

    private func page(_ found: Found, _ search: SearchPosts) -> Page<SearchHit> {
        Page(
            items: found.hits, limit: search.limit,
            number: .init(page: search.page, total: found.total, isExact: found.isExact))
    }
}

extension PostgresError {
    /// Whether the deadline passed, here or in the server (57014).
    fileprivate var isTimeout: Bool { code == .deadlineExceeded || sqlState == "57014" }
}

extension SearchHit {
    /// Decodes a row of ``SearchStatements/search``.
    @Loop fileprivate init(
        _ row: Row, _ text: TokenizedText, _ query: TSQuery, _ entries: Lexicon.Entries
    ) throws(PostgresError) {
        let (_, _, id, authorID, authorName, content, createdAt, score) = try row.decode(
            (Int, Bool, UUID, UUID, String, String, Timestamp, Double).self)
        let matches = HighlightedWords(query.highlighted, entries).matches(content, text.words)
        self.init(
            id: id, author: Author(id: authorID, username: authorName), content: content,
            createdAt: createdAt, score: score, highlight: Highlight.html(content, text.words, matches: matches))
    }
}
