internal import Contracts
internal import FoundationEssentials
package import Postgres
internal import WorkerKit

/// All SQL statements of the post service.
enum PostStatements {
    /// The slots of `post_count`. The number of posts is the sum of all slots. Each transaction updates a random
    /// slot, so that transactions seldom wait for the same row.
    static let slots = 0..<16

    /// The last column has the URL and the description of each media item, separated by a line feed, which a URL
    /// cannot contain. Two columns would need a further subquery for each post.
    private static let columns = """
        p.id, p.author_id, p.author_name, p.content, p.created_at, p.media_ids,
        ARRAY(
            SELECT concat(m.url, E'\\n', m.description) FROM unnest(p.media_ids) WITH ORDINALITY AS u (id, place)
            LEFT JOIN media m ON m.id = u.id AND m.owner_id = p.author_id ORDER BY u.place)
        """

    /// Inserts posts that have the same creation time ($6).
    ///
    /// The media ids of each post are passed as the text of an array. An array of arrays is not possible, because
    /// PostgreSQL requires all inner arrays to have the same length.
    static let insert = Statement(
        """
        WITH counted AS (UPDATE post_count SET posts = posts + cardinality($1) WHERE slot = $7)
        INSERT INTO posts (id, author_id, author_name, content, media_ids, created_at)
        SELECT id, author_id, author_name, content, media_ids::uuid[], $6
        FROM unnest($1, $2, $3, $4, $5) AS p (id, author_id, author_name, content, media_ids)
        """)

    /// Returns the text form of a PostgreSQL array of ids.
    static func array(_ ids: [UUID]) -> String { "{\(ids.map(\.text).joined(separator: ","))}" }

    static let knownMedia = Statement(
        "SELECT id, owner_id, url, description FROM media WHERE id = ANY ($1) AND url IS NOT NULL")

    static let get = Statement("SELECT \(columns) FROM posts p WHERE p.id = $1")

    static let owned = Statement(
        "SELECT \(columns) FROM posts p WHERE p.id = $1 AND p.author_id = $2 FOR UPDATE OF p")

    static let page = Statement(
        """
        SELECT \(columns) FROM (
            SELECT * FROM posts ORDER BY created_at DESC, id DESC LIMIT $1 OFFSET $2) p
        ORDER BY p.created_at DESC, p.id DESC
        """)

    static let after = Statement(
        """
        SELECT \(columns) FROM (
            SELECT * FROM posts WHERE (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $1) p
        ORDER BY p.created_at DESC, p.id DESC
        """)

    static let count = Statement("SELECT sum(posts)::bigint FROM post_count")

    static let delete = Statement(
        """
        WITH deleted AS (DELETE FROM posts WHERE id = $1 AND author_id = $2 RETURNING media_ids),
            counted AS (
                UPDATE post_count SET posts = posts - 1 WHERE slot = $3 AND EXISTS (SELECT FROM deleted))
        SELECT media_ids FROM deleted
        """)

    static let mediaUploaded = Statement(
        """
        INSERT INTO media (id, owner_id, url, description, described_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO UPDATE SET owner_id = $2, url = $3,
            description = CASE WHEN media.described_at > $5 THEN media.description ELSE $4 END,
            described_at = greatest(media.described_at, $5)
        WHERE NOT media.is_deleted
        """)

    static let mediaUpdated = Statement(
        """
        INSERT INTO media (id, owner_id, description, described_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (id) DO UPDATE SET description = $3, described_at = $4
        WHERE NOT media.is_deleted AND coalesce(media.described_at < $4, true)
        """)

    static let mediaDeleted = Statement(
        """
        INSERT INTO media (id, owner_id, is_deleted) VALUES ($1, $2, true)
        ON CONFLICT (id) DO UPDATE SET url = NULL, description = NULL, is_deleted = true
        """)

    static let postsWithMedia = Statement(
        """
        SELECT id FROM posts WHERE media_ids <> '{}' AND media_ids @> ARRAY[$1::uuid] AND author_id = $2
        """)
}

extension Post: KeysetItem {
    /// Decodes a row with the columns that all statements select for a post.
    package init(_ row: Row) throws(PostgresError) {
        let (id, authorID, authorName, content, createdAt, mediaIDs, media) = try row.decode(
            (UUID, UUID, String, String, Timestamp, [UUID], [String]).self)
        self.init(
            id: id, author: Author(id: authorID, username: authorName), content: content,
            media: zip(mediaIDs, media).map { PostMedia(id: $0, columns: $1) },
            createdAt: createdAt)
    }
}

extension PostMedia {
    /// - Parameter columns: the URL and the description, separated by a line feed; either can be empty.
    fileprivate init(id: UUID, columns: String) {
        let parts = columns.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        self.init(
            id: id, url: parts.first.flatMap { $0.isEmpty ? nil : $0 },
            description: parts.last.flatMap { $0.isEmpty ? nil : $0 })
    }
}
