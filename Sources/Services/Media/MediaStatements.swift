internal import Contracts
internal import FoundationEssentials
package import Postgres
internal import WorkerKit

/// All SQL statements of the media service.
enum MediaStatements {
    private static let columns = "id, url, content_type, bytes, width, height, created_at"

    // MARK: Uploading

    /// Returns no row if the id belongs to a media item, to another account's upload or to an upload that is
    /// being removed.
    static let beginUpload = Statement(
        """
        INSERT INTO upload (id, owner_id)
        SELECT $1::uuid, $2::uuid WHERE NOT EXISTS (SELECT FROM media WHERE id = $1)
        ON CONFLICT (id) DO UPDATE SET begun_at = now() WHERE upload.owner_id = $2 AND upload.swept_at IS NULL
        RETURNING id
        """)

    /// Returns a row if a sweeper is removing the image of an upload.
    static let uploadInRemoval = Statement(
        "SELECT FROM upload WHERE id = $1 AND owner_id = $2 AND swept_at IS NOT NULL")

    /// Fails with a not-null violation if a sweeper has claimed the upload, because its image may be removed
    /// already: the subquery then returns no id.
    static let insert = Statement(
        """
        WITH finished AS (DELETE FROM upload WHERE id = $1 AND swept_at IS NULL RETURNING id)
        INSERT INTO media (id, owner_id, url, content_type, bytes, width, height, created_at)
        VALUES ((SELECT id FROM finished), $2, $3, $4, $5, $6, $7, $8)
        """)

    // MARK: Sweeping

    /// Claims up to $3 uploads whose last attempt began $1 seconds ago and that no other sweeper claimed
    /// within $2 seconds.
    static let claimAbandonedUploads = Statement(
        """
        UPDATE upload SET swept_at = now() WHERE id = ANY (ARRAY(
            SELECT id FROM upload
            WHERE begun_at < now() - make_interval(secs => $1)
                AND (swept_at IS NULL OR swept_at < now() - make_interval(secs => $2))
                AND NOT EXISTS (SELECT FROM media WHERE media.id = upload.id)
            ORDER BY begun_at LIMIT $3 FOR UPDATE SKIP LOCKED))
        RETURNING id
        """)

    /// Deletes the rows of finished uploads: a redelivery that began while the first delivery committed
    /// leaves one.
    static let deleteFinishedUploads = Statement(
        """
        DELETE FROM upload USING media
        WHERE media.id = upload.id AND upload.begun_at < now() - make_interval(secs => $1)
        """)

    static let deleteClaimedUpload = Statement("DELETE FROM upload WHERE id = $1 AND swept_at IS NOT NULL")

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

extension Media: KeysetItem {
    /// Decodes a row of the columns that all statements select for media.
    package init(_ row: Row) throws(PostgresError) {
        let (id, url, contentType, bytes, width, height, createdAt) = try row.decode(
            (UUID, String, String, Int, Int, Int, Timestamp).self)
        self.init(
            id: id, url: url, contentType: contentType, bytes: bytes, width: width, height: height,
            createdAt: createdAt)
    }
}
