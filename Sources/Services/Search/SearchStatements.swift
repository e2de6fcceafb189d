internal import Postgres

/// All SQL statements of the search service.
enum SearchStatements {
    /// The number of newest hits that are ranked. It bounds the cost of a page, and pages end there.
    static let rankedLimit = 2_000

    /// Returns a page of the posts that match a query ($1), best first, with the total on each row. A page
    /// without posts is one row with only the total.
    ///
    /// Tombstones never match, because they have no words. The counted rows have only the columns that order
    /// them.
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

    /// Returns candidates for the words ($1, each with its query in $2) that no post has: vocabulary words
    /// that begin with the word, share trigrams with it, or are equal to one of its transpositions ($4, of
    /// the words $3).
    ///
    /// The inner query is materialized so that the planner uses the index; for EXISTS alone it may choose a
    /// scan. It still stops at its first row.
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

    /// Adds posts, one per element of the arrays, and words that the vocabulary may lack ($7).
    ///
    /// Rows are inserted in order, so that workers that add the same rows cannot deadlock. An indexed post
    /// gets the new words if they differ, as they do if an earlier version split its text differently.
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

    /// The most posts that one ``removeUnlisted`` changes.
    static let removeUnlistedLimit = 1_000

    /// Leaves tombstones for posts that are not listed ($6), created before $1, from the position ($2, $3),
    /// exclusive, to the older position ($4, $5), inclusive.
    static let removeUnlisted = Statement(
        """
        UPDATE documents SET is_deleted = true, content = '', author_name = '', words = '' WHERE id = ANY (ARRAY(
            SELECT id FROM documents
            WHERE created_at < $1 AND created_at BETWEEN $4 AND $2 AND (created_at, id) < ($2, $3)
                AND (created_at, id) >= ($4, $5) AND NOT is_deleted AND id <> ALL ($6) LIMIT \(removeUnlistedLimit)))
        """)

    /// Leaves a tombstone for each post, which ``add`` does not overwrite.
    static let remove = Statement(
        """
        INSERT INTO documents (id, author_id, is_deleted, words)
        SELECT DISTINCT ON (id) id, author_id, true, ''::tsvector
        FROM unnest($1::uuid[], $2::uuid[]) AS post (id, author_id)
        ORDER BY id ON CONFLICT (id) DO UPDATE SET is_deleted = true, content = '', author_name = '', words = ''
        WHERE NOT documents.is_deleted
        """)
}
