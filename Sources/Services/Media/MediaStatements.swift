internal import Postgres

/// Every statement of the media service.
enum MediaStatements {
    private static let columns = "id, url, content_type, bytes, width, height, created_at"

    // MARK: Uploading

    /// Gives no row where the id is taken by a picture, by another's upload or by a sweeper.
    static let beginUpload = Statement(
        """
        INSERT INTO upload (id, owner_id)
        SELECT $1::uuid, $2::uuid WHERE NOT EXISTS (SELECT FROM media WHERE id = $1)
        ON CONFLICT (id) DO UPDATE SET begun_at = now() WHERE upload.owner_id = $2 AND upload.swept_at IS NULL
        RETURNING id
        """)

    static let isSwept = Statement(
        "SELECT FROM upload WHERE id = $1 AND owner_id = $2 AND swept_at IS NOT NULL")

    /// Fails where the upload is no longer there, since a sweeper has taken its picture for one left behind: without
    /// its id the row cannot be.
    static let insert = Statement(
        """
        WITH done AS (DELETE FROM upload WHERE id = $1 AND swept_at IS NULL RETURNING id)
        INSERT INTO media (id, owner_id, url, content_type, bytes, width, height, created_at)
        VALUES ((SELECT id FROM done), $2, $3, $4, $5, $6, $7, $8)
        """)

    // MARK: Sweeping

    /// Takes uploads whose last attempt began so many seconds ago, and those that another sweeper has not finished.
    static let claimAbandoned = Statement(
        """
        UPDATE upload SET swept_at = now() WHERE id = ANY (ARRAY(
            SELECT id FROM upload
            WHERE begun_at < now() - make_interval(secs => $1)
                AND (swept_at IS NULL OR swept_at < now() - make_interval(secs => $2))
                AND NOT EXISTS (SELECT FROM media WHERE media.id = upload.id)
            ORDER BY begun_at LIMIT $3 FOR UPDATE SKIP LOCKED))
        RETURNING id
        """)

    /// Forgets uploads that have their picture: a second delivery, which began while the first one committed, leaves one.
    static let forgetDone = Statement(
        """
        DELETE FROM upload USING media
        WHERE media.id = upload.id AND upload.begun_at < now() - make_interval(secs => $1)
        """)

    static let forgetUpload = Statement("DELETE FROM upload WHERE id = $1 AND swept_at IS NOT NULL")

    // MARK: Reading

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

    // MARK: Deleting

    static let owned = Statement("SELECT id FROM media WHERE id = ANY ($1) AND owner_id = $2")

    static let delete = Statement("DELETE FROM media WHERE id = $1 AND owner_id = $2")
}
