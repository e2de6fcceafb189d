internal import Contracts
internal import FoundationEssentials
package import Postgres
internal import WorkerKit

/// All SQL statements of the post service.
enum PostStatements {
    /// The slots of `post_count`. The number of posts is the sum of all slots. Each transaction updates a random
    /// slot, so that transactions seldom wait for the same row.
    static let slots = 0..<16

    private static let columns = """
        p.id, p.author_id, p.author_name, p.content, p.created_at, p.media_ids,
        ARRAY(
            SELECT coalesce(m.url, '') FROM unnest(p.media_ids) WITH ORDINALITY AS u (id, place)
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

    static let mediaURLs = Statement("SELECT id, owner_id, url FROM media WHERE id = ANY ($1) AND url IS NOT NULL")

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
        INSERT INTO media (id, owner_id, url) VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET owner_id = $2, url = $3 WHERE NOT media.is_deleted
        """)

    static let mediaDeleted = Statement(
        """
        INSERT INTO media (id, owner_id, is_deleted) VALUES ($1, $2, true)
        ON CONFLICT (id) DO UPDATE SET url = NULL, is_deleted = true
        """)

    static let postsWithMedia = Statement(
        """
        SELECT id FROM posts WHERE media_ids <> '{}' AND media_ids @> ARRAY[$1::uuid] AND author_id = $2
        """)
}

extension Post: KeysetItem {
    /// Decodes a row with the columns that all statements select for a post.
    package init(_ row: Row) throws(PostgresError) {
        let (id, authorID, authorName, content, createdAt, mediaIDs, urls) = try row.decode(
            (UUID, UUID, String, String, Timestamp, [UUID], [String]).self)
        self.init(
            id: id, author: Author(id: authorID, username: authorName), content: content,
            media: zip(mediaIDs, urls).map { PostMedia(id: $0, url: $1.isEmpty ? nil : $1) },
            createdAt: createdAt)
    }
}
