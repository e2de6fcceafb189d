internal import Postgres

/// Every statement of the search service.
enum SearchStatements {
    /// What `ts_headline` puts around a word it found: two characters of the private use area, which are taken out of
    /// the content first, so that nobody who writes a post can forge a mark.
    static let markStart: Unicode.Scalar = "\u{E000}"
    static let markEnd: Unicode.Scalar = "\u{E001}"

    private static let headline = """
        ts_headline('english', translate(d.content, U&'\\E000\\E001', ''), query, \
        U&'StartSel=\\E000,StopSel=\\E001,MaxFragments=2,MaxWords=30,MinWords=10,FragmentDelimiter=" … "')
        """

    /// Words as PostgreSQL's websearch syntax has them: quoted, joined with `or`, excluded with `-`.
    static let byWords = Statement(
        """
        WITH found AS MATERIALIZED (
            SELECT d.*, query, ts_rank_cd(d.words, query) AS score, count(*) OVER () AS total
            FROM documents d, websearch_to_tsquery('english', $1) query
            WHERE d.words @@ query AND NOT d.is_deleted
            ORDER BY score DESC, d.created_at DESC, d.id DESC LIMIT $2 OFFSET $3)
        SELECT d.id, d.author_id, d.author_name, d.content, d.created_at, d.score::float8, \(headline), d.total
        FROM found d ORDER BY d.score DESC, d.created_at DESC, d.id DESC
        """)

    /// How many documents have the words, where the page asked for has none of them.
    static let countByWords = Statement(
        """
        SELECT count(*) FROM documents d
        WHERE d.words @@ websearch_to_tsquery('english', $1) AND NOT d.is_deleted
        """)

    /// Words as they sound alike in writing, for typing errors; nothing is marked.
    static let byTrigrams = Statement(
        """
        SELECT d.id, d.author_id, d.author_name, d.content, d.created_at, word_similarity($1, d.content)::float8 AS score,
            left(translate(d.content, U&'\\E000\\E001', ''), 200), count(*) OVER () AS total
        FROM documents d WHERE $1 <% d.content AND NOT d.is_deleted
        ORDER BY score DESC, d.created_at DESC, d.id DESC LIMIT $2 OFFSET $3
        """)

    static let created = Statement(
        """
        INSERT INTO documents (id, author_id, author_name, content, created_at)
        SELECT DISTINCT ON (id) * FROM unnest($1, $2, $3, $4, $5) AS post (id, author_id, author_name, content, created_at)
        ORDER BY id ON CONFLICT (id) DO NOTHING
        """)

    static let deleted = Statement(
        """
        INSERT INTO documents (id, author_id, is_deleted) VALUES ($1, $2, true)
        ON CONFLICT (id) DO UPDATE SET is_deleted = true, content = '', author_name = ''
        """)
}
