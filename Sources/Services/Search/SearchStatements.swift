internal import Postgres

/// All SQL statements of the search service.
enum SearchStatements {
    /// The maximum number of hits that are ranked and listed on pages; older hits are only counted. The limit bounds
    /// the cost of a page.
    static let rankedLimit = 2_000

    /// Returns a page of the posts that match a query ($1), best first, with the total on each row. A page
    /// without posts is one row with only the total.
    ///
    /// Tombstones never match, because they have no words. `found` contains all hits, so it has only the columns
    /// that determine their order.
    static let search = Statement(
        """
        WITH found AS MATERIALIZED (SELECT d.id, d.created_at FROM documents d WHERE d.words @@ $1::tsquery),
        ranked AS MATERIALIZED (
            SELECT d.id, d.created_at, ts_rank_cd(d.words, $1::tsquery, 1)::float8 AS score
            FROM (SELECT id FROM found ORDER BY created_at DESC, id DESC LIMIT \(rankedLimit)) newest
            JOIN documents d USING (id)
            ORDER BY score DESC, d.created_at DESC, d.id DESC LIMIT $2 OFFSET $3)
        SELECT (SELECT count(*) FROM found), d.id, d.author_id, d.author_name, d.content, d.created_at, r.score
        FROM (SELECT) AS page LEFT JOIN (ranked r JOIN documents d USING (id)) ON true
        ORDER BY r.score DESC, r.created_at DESC, r.id DESC
        """)

    /// Returns the English stem of each word; an empty text for a stop word.
    static let stems = Statement(
        """
        SELECT word, coalesce((ts_lexize('english_stem', word))[1], '') FROM unnest($1::text[]) AS word
        """)

    /// Returns candidates that can replace those of the words $1 that no post has. A candidate is a word of the
    /// vocabulary that begins with the unknown word, shares trigrams with it, or is one of its transpositions.
    ///
    /// - $2: for each word of $1, the query that finds the posts that have the word.
    /// - $3 and $4: pairs of a word of $1 and one of its transpositions.
    ///
    /// The subquery `found` is materialized so that the planner uses the index; for a plain EXISTS it may choose a
    /// scan. The subquery still stops at its first row.
    static let expand = Statement(
        """
        WITH unknown AS MATERIALIZED (
            SELECT word FROM unnest($1::text[], $2::text[]) AS typed (word, query) WHERE NOT EXISTS (
                WITH found AS MATERIALIZED (SELECT FROM documents d WHERE d.words @@ typed.query::tsquery)
                SELECT FROM found))
        SELECT unknown.word, candidate.word, candidate.is_prefix_match
        FROM unknown CROSS JOIN LATERAL (
            (SELECT v.word, true AS is_prefix_match FROM (
                    SELECT word FROM vocabulary
                    WHERE word > unknown.word AND word < unknown.word || U&'\\+10FFFF' ORDER BY word LIMIT 1000) v
                ORDER BY length(v.word), v.word LIMIT 16)
            UNION ALL
            (SELECT v.word, false FROM vocabulary v WHERE v.word % unknown.word AND v.word <> unknown.word
                ORDER BY similarity(v.word, unknown.word) DESC, v.word LIMIT 20)
            UNION ALL
            (SELECT v.word, false FROM vocabulary v WHERE v.word = ANY (ARRAY(
                SELECT swapped FROM unnest($3::text[], $4::text[]) AS swap (word, swapped)
                WHERE swap.word = unknown.word)))
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
