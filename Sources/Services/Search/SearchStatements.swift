internal import Postgres

/// All SQL statements of the search service.
enum SearchStatements {
    /// The maximum number of hits that are ranked and listed on pages; older hits are only counted. The limit bounds
    /// the cost of a page.
    static let rankedLimit = 2_000

    /// The maximum number of hits that are counted.
    static let countedLimit = 10_000

    /// The time after which a search reads no further part. The part that is being read is read to its end, so a search
    /// can take longer, and a search that reads the whole index at once is not limited.
    ///
    /// A phrase of frequent words that are rarely adjacent reaches the limit, because each post with all its words is
    /// read to compare their positions, at about 5 µs for a short post. For example, stop words that 200,000 posts have
    /// together reach it, and an index of 1,000,000 posts can have as many. A pair of frequent words that are rarely in
    /// one post reaches it among several millions of posts.
    private static let timeLimit = "interval '1 second'"

    /// Returns a page of the posts that match a query ($1), best first. Each row has the number of hits, and whether
    /// the whole index was read. A page without posts is one row with only these two columns.
    ///
    /// - $2 and $3: the limit and the offset of the page.
    /// - $4: the number of hits after which no further hits are counted, more than ``rankedLimit``.
    /// - $5 and $6: the buckets and the ends of ``IndexParts``.
    ///
    /// The conditions for the words and for the buckets are two keys of one scan of the index. Each of the two moves
    /// the other forward, so the scan reads only the hits in the part.
    static let searchInParts = search(isInParts: true)

    /// Does the same as ``searchInParts`` for the whole index at once. It has no $5 and $6. For a rare word, the
    /// condition for the buckets would cost more than the rest of the scan.
    static let search = search(isInParts: false)

    /// Returns the statement of a search.
    ///
    /// `step` reads the parts one after the other. As long as it has found fewer hits than are ranked, it ranks the
    /// hits of a whole part, because the newest of them can be anywhere in the part. After that it only counts.
    ///
    /// Tombstones never match, because they have no words.
    private static func search(isInParts: Bool) -> Statement {
        let partCount = isInParts ? "cardinality($6::bigint[])" : "1"
        let isInPart = isInParts ? "time_buckets(d.created_at) && \(buckets("step.number", first: 5))" : "true"
        let isRanked = "step.total < \(rankedLimit)"
        return Statement(
            """
            WITH RECURSIVE step (number, total, hits, times, ids, scores) AS (
                SELECT 0, 0::bigint, NULL::tid[], NULL::timestamptz[], NULL::uuid[], NULL::float4[]
                UNION ALL
                SELECT step.number + 1, step.total + part.total, part.hits, part.times, part.ids, part.scores
                FROM step CROSS JOIN LATERAL (
                    SELECT count(*) AS total, array_agg(hit.ctid) FILTER (WHERE \(isRanked)) AS hits,
                        array_agg(hit.created_at) FILTER (WHERE \(isRanked)) AS times,
                        array_agg(hit.id) FILTER (WHERE \(isRanked)) AS ids,
                        array_agg(hit.score) FILTER (WHERE \(isRanked)) AS scores
                    FROM (
                        SELECT d.ctid, d.created_at, d.id,
                            CASE WHEN \(isRanked)
                                THEN ts_rank_cd('{0.01, 0.1, 0.4, 1}', d.words, $1::tsquery, 1) END AS score
                        FROM documents d
                        WHERE d.words @@ $1::tsquery AND \(isInPart)
                        LIMIT CASE WHEN NOT \(isRanked) THEN $4 - step.total END) hit) part
                WHERE step.total < $4::bigint AND step.number < \(partCount)
                    AND clock_timestamp() < statement_timestamp() + \(timeLimit)),
            newest AS MATERIALIZED (
                SELECT hit.ctid, hit.created_at, hit.id, hit.score
                FROM step
                CROSS JOIN unnest(step.hits, step.times, step.ids, step.scores) AS hit (ctid, created_at, id, score)
                ORDER BY hit.created_at DESC, hit.id DESC LIMIT \(rankedLimit)),
            ranked AS MATERIALIZED (
                SELECT * FROM newest ORDER BY score DESC, created_at DESC, id DESC LIMIT $2 OFFSET $3)
            SELECT (SELECT max(total) FROM step), (SELECT max(number) = \(partCount) FROM step),
                d.id, d.author_id, d.author_name, d.content, d.created_at, r.score::float8
            FROM (SELECT) AS page LEFT JOIN (ranked r JOIN documents d ON d.ctid = r.ctid) ON true
            ORDER BY r.score DESC, r.created_at DESC, r.id DESC
            """)
    }

    /// Returns the SQL of the buckets of a part of the index.
    ///
    /// - Parameters:
    ///   - part: the SQL of the part's number, from 0.
    ///   - first: the number of the parameter that has the buckets. The next parameter has the ends of the parts.
    private static func buckets(_ part: String, first: Int) -> String {
        "($\(first)::bigint[])[coalesce(($\(first + 1)::bigint[])[\(part)], 0) + 1"
            + " : ($\(first + 1)::bigint[])[\(part) + 1]]"
    }

    /// Returns the times that separate the parts of the index, in seconds since 1970, the newest first.
    ///
    /// - $1 and $2: the numbers of posts in the first parts, and in each other part.
    /// - $3: the time at which to stop. The last time returned can be older.
    static let boundaries = Statement(
        """
        WITH RECURSIVE boundary (number, at) AS (
            SELECT 0, 'infinity'::timestamptz
            UNION ALL
            SELECT boundary.number + 1, (
                SELECT d.created_at FROM documents d WHERE d.created_at < boundary.at ORDER BY d.created_at DESC
                OFFSET coalesce(($1::bigint[])[boundary.number + 1], $2) LIMIT 1)
            FROM boundary WHERE boundary.at > to_timestamp($3::bigint))
        SELECT floor(extract(epoch FROM at))::bigint FROM boundary WHERE number > 0 AND at IS NOT NULL ORDER BY number
        """)

    /// Returns the number of posts and, of PostgreSQL's statistics, the most common stems, their frequencies, and the
    /// lowest of these frequencies. The frequencies are fractions of all posts. The columns are NULL, and the number
    /// can be -1, if there are no statistics yet.
    static let statistics = Statement(
        """
        SELECT c.reltuples::float8, s.most_common_elems::text::text[], s.most_common_elem_freqs::float8[],
            (SELECT min(frequency) FROM unnest(s.most_common_elem_freqs) AS frequency)::float8
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_stats s
            ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = 'words' AND NOT s.inherited
        WHERE c.oid = 'documents'::regclass
        """)

    /// Moves the pending entries of the index to their places. Every scan of the index reads all pending entries.
    static let flushPendingList = Statement("SELECT gin_clean_pending_list('documents_search')")

    /// Returns for each word of $1 its canonical composition, its folded form, the stem of the composition, this stem
    /// folded, and the stem of the folded form; an empty text for the stem of a stop word. $2 is the dictionary.
    ///
    /// Languages have stems of words with accents. The stem of the folded word is needed, too, because people leave
    /// accents out.
    static let lexicon = Statement(
        """
        SELECT word, composed, folded, coalesce(stem, ''), coalesce(fold_word(stem), ''),
            coalesce((ts_lexize($2::regdictionary, folded))[1], '')
        FROM unnest($1::text[]) AS word CROSS JOIN LATERAL normalize(word, NFC) AS composed
            CROSS JOIN LATERAL fold_word(word) AS folded
            CROSS JOIN LATERAL (SELECT (ts_lexize($2::regdictionary, composed))[1]) AS stems (stem)
        """)

    /// The maximum number of prefix matches of a word.
    static let prefixMatchLimit = 64

    /// Returns words of the vocabulary that are similar to the words $1: that begin with one, share trigrams with one,
    /// or are one of its transpositions. Each row has the word of $1, the similar word, and whether it is a prefix
    /// match.
    ///
    /// - $2 and $3: pairs of a word of $1 and one of its transpositions.
    static let expand = Statement(
        """
        SELECT typed.word, candidate.word, candidate.is_prefix_match
        FROM unnest($1::text[]) AS typed (word) CROSS JOIN LATERAL (
            (SELECT v.word, true AS is_prefix_match FROM (
                    SELECT word FROM vocabulary
                    WHERE word > typed.word AND word < typed.word || U&'\\+10FFFF' ORDER BY word LIMIT 1000) v
                ORDER BY length(v.word), v.word LIMIT \(prefixMatchLimit))
            UNION ALL
            (SELECT v.word, false FROM vocabulary v WHERE v.word % typed.word AND v.word <> typed.word
                ORDER BY similarity(v.word, typed.word) DESC, v.word LIMIT 20)
            UNION ALL
            (SELECT v.word, false FROM vocabulary v WHERE v.word = ANY (ARRAY(
                SELECT swapped FROM unnest($2::text[], $3::text[]) AS swap (word, swapped)
                WHERE swap.word = typed.word)))
        ) candidate
        """)

    /// Adds posts, one for each element of the arrays $1 to $6, and adds the words $7 to the vocabulary if it lacks
    /// them.
    ///
    /// Rows are inserted in the order of their keys, so that workers that add the same rows cannot deadlock. If an
    /// indexed post has other words, because an earlier version split its text differently, it gets the new words.
    static let add = Statement(
        """
        WITH new_words AS (
            INSERT INTO vocabulary (word) SELECT word FROM unnest($7::text[]) AS word ORDER BY word
            ON CONFLICT DO NOTHING)
        INSERT INTO documents (id, author_id, author_name, content, created_at, words)
        SELECT DISTINCT ON (id) id, author_id, author_name, content, created_at, words::tsvector
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::text[])
            AS post (id, author_id, author_name, content, created_at, words)
        ORDER BY id ON CONFLICT (id) DO UPDATE SET words = EXCLUDED.words
        WHERE NOT documents.is_deleted AND documents.words <> EXCLUDED.words
        """)

    /// The maximum number of posts that one ``removeUnlisted`` changes.
    static let removeUnlistedLimit = 1_000

    /// Leaves tombstones for the indexed posts that are not listed ($6) and were created before $1, from the position
    /// ($2, $3), exclusive, to the older position ($4, $5), inclusive.
    static let removeUnlisted = Statement(
        """
        UPDATE documents SET is_deleted = true, content = '', author_name = '', words = '' WHERE id = ANY (ARRAY(
            SELECT id FROM documents
            WHERE created_at < $1 AND created_at BETWEEN $4 AND $2 AND (created_at, id) < ($2, $3)
                AND (created_at, id) >= ($4, $5) AND NOT is_deleted AND id <> ALL ($6) LIMIT \(removeUnlistedLimit)))
        """)

    /// Leaves a tombstone for each post. ``add`` does not overwrite a tombstone.
    static let remove = Statement(
        """
        INSERT INTO documents (id, author_id, is_deleted, words)
        SELECT DISTINCT ON (id) id, author_id, true, ''::tsvector
        FROM unnest($1::uuid[], $2::uuid[]) AS post (id, author_id)
        ORDER BY id ON CONFLICT (id) DO UPDATE SET is_deleted = true, content = '', author_name = '', words = ''
        WHERE NOT documents.is_deleted
        """)
}
