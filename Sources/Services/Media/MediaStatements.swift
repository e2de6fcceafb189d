internal import Postgres

/// Every statement of the media service.
enum MediaStatements {
    private static let columns = "id, url, content_type, bytes, width, height, created_at"

    static let insert = Statement(
        """
        INSERT INTO media (id, owner_id, url, content_type, bytes, width, height, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """)

    static let exists = Statement("SELECT FROM media WHERE id = $1")

    static let get = Statement("SELECT \(columns) FROM media WHERE id = $1 AND owner_id = $2")

    static let page = Statement(
        """
        SELECT \(columns) FROM media WHERE owner_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3
        """)

    static let after = Statement(
        """
        SELECT \(columns) FROM media WHERE owner_id = $1 AND (created_at, id) < ($3, $4)
        ORDER BY created_at DESC, id DESC LIMIT $2
        """)

    static let count = Statement("SELECT count(*) FROM media WHERE owner_id = $1")

    static let owned = Statement("SELECT id FROM media WHERE id = ANY ($1) AND owner_id = $2")

    static let delete = Statement("DELETE FROM media WHERE id = $1 AND owner_id = $2")
}
