internal import Postgres

/// Every statement of the search service.
enum SearchStatements {
    /// How many hits are ranked, the newest of them, and so how many can be paged to: that bounds what any page costs.
    static let rankedLimit = 2_000

    /// Finds the posts that a query ($1) holds for, and their number on each row.
    ///
    /// A tombstone has no words. The rows that are counted have nothing but what orders them.
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

    /// What English makes of words: nothing of those that say nothing.
    static let stems = Statement(
        """
        SELECT word, coalesce((ts_lexize('english_stem', word))[1], '') FROM unnest($1::text[]) AS word
        """)

    /// Which of the words ($1, each with its query in $2) no post has, and words that begin with them, share trigrams with
    /// them or are them with two letters swapped ($4, of the words $3).
    ///
    /// The materialized query stops at its first row, and is planned as if it did not: looked up, never walked to.
    static let suggest = Statement(
        """
        WITH unknown AS MATERIALIZED (
            SELECT word FROM unnest($1::text[], $2::text[]) AS typed (word, query) WHERE NOT EXISTS (
                WITH found AS MATERIALIZED (SELECT FROM documents d WHERE d.words @@ typed.query::tsquery)
                SELECT FROM found))
        SELECT unknown.word, guess.word, guess.is_beginning
        FROM unknown CROSS JOIN LATERAL (
            (SELECT v.word, true AS is_beginning FROM (
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
        ) guess
        """)

    /// Adds posts, one per element of the arrays, and the words that may be new ($7).
    ///
    /// In order, so that workers who add the same things wait for one another, and never in a circle. A post that is there
    /// is given its words anew where they were cut otherwise, as by an earlier version.
    static let add = Statement(
        """
        WITH learned AS (
            INSERT INTO vocabulary (word) SELECT word FROM unnest($7::text[]) AS word ORDER BY word
            ON CONFLICT DO NOTHING)
        INSERT INTO documents (id, author_id, author_name, content, created_at, words)
        SELECT DISTINCT ON (id) id, author_id, author_name, content, created_at, words::tsvector
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::text[])
            AS post (id, author_id, author_name, content, created_at, words)
        ORDER BY id ON CONFLICT (id) DO UPDATE SET words = EXCLUDED.words
        WHERE NOT documents.is_deleted AND documents.words <> EXCLUDED.words
        """)

    /// How many posts one ``sweep`` takes.
    static let sweepLimit = 1_000

    /// Leaves tombstones for the posts older than $1 and than the place $2, $3, as old as the place $4, $5 at most, that are
    /// not among those listed ($6).
    static let sweep = Statement(
        """
        UPDATE documents SET is_deleted = true, content = '', author_name = '', words = '' WHERE id = ANY (ARRAY(
            SELECT id FROM documents
            WHERE created_at < $1 AND created_at BETWEEN $4 AND $2 AND (created_at, id) < ($2, $3)
                AND (created_at, id) >= ($4, $5) AND NOT is_deleted AND id <> ALL ($6) LIMIT \(sweepLimit)))
        """)

    /// Leaves a tombstone for each post, which no addition overwrites.
    static let remove = Statement(
        """
        INSERT INTO documents (id, author_id, is_deleted, words)
        SELECT DISTINCT ON (id) id, author_id, true, ''::tsvector
        FROM unnest($1::uuid[], $2::uuid[]) AS post (id, author_id)
        ORDER BY id ON CONFLICT (id) DO UPDATE SET is_deleted = true, content = '', author_name = '', words = ''
        WHERE NOT documents.is_deleted
        """)
}
