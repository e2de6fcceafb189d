internal import Contracts
internal import FoundationEssentials
package import Postgres
internal import WorkerKit

/// All SQL statements of the media service.
///
/// ``UploadSweeper`` claims an abandoned upload by setting `swept_at`, and then removes its image.
enum MediaStatements {
    private static let columns = "id, url, content_type, bytes, width, height, created_at, description"

    // MARK: Uploading

    /// Inserts the row of an upload, or counts a further attempt and renews the time of the last one.
    ///
    /// Returns no row if the id belongs to a media item, to another account's upload, or to an upload that a
    /// sweeper has claimed.
    static let beginUpload = Statement(
        """
        INSERT INTO upload (id, owner_id)
        SELECT $1::uuid, $2::uuid WHERE NOT EXISTS (SELECT FROM media WHERE id = $1)
        ON CONFLICT (id) DO UPDATE SET begun_at = now(), attempts = upload.attempts + 1
        WHERE upload.owner_id = $2 AND upload.swept_at IS NULL
        RETURNING id
        """)

    /// Returns a row if a sweeper has claimed the upload.
    static let claimedUpload = Statement(
        "SELECT FROM upload WHERE id = $1 AND owner_id = $2 AND swept_at IS NOT NULL")

    /// Inserts a media item. Deletes the row of its upload, or keeps it as finished if another attempt can be under
    /// way: if $10 is true, or another delivery has begun.
    ///
    /// If a sweeper has claimed the upload, its image may already be removed, so no media item may be inserted. In this
    /// case the subquery returns no id, and the statement fails with a not-null violation.
    static let insert = Statement(
        """
        WITH begun AS MATERIALIZED (
            SELECT id, attempts FROM upload WHERE id = $1 AND swept_at IS NULL FOR UPDATE),
        removed AS (DELETE FROM upload USING begun WHERE upload.id = begun.id AND begun.attempts = 1 AND NOT $10),
        kept AS (
            UPDATE upload SET is_finished = true FROM begun
            WHERE upload.id = begun.id AND (begun.attempts > 1 OR $10))
        INSERT INTO media (id, owner_id, url, content_type, bytes, width, height, created_at, description)
        VALUES ((SELECT id FROM begun), $2, $3, $4, $5, $6, $7, $8, $9)
        """)

    /// Returns those of the ids $1 that have no media item, but an upload, which may have stored an image.
    ///
    /// A standby, which may not have a media item yet, refuses `FOR UPDATE`.
    ///
    /// - $2: the owner.
    /// - $3: whether uploads that have not finished count, too.
    static let leftovers = Statement(
        """
        SELECT id FROM upload WHERE id = ANY ($1) AND owner_id = $2 AND (is_finished OR $3)
            AND NOT EXISTS (SELECT FROM media WHERE media.id = upload.id)
        FOR UPDATE SKIP LOCKED
        """)

    // MARK: Sweeping

    /// Claims up to $3 unfinished uploads whose last attempt began more than $1 seconds ago, and that no sweeper
    /// has claimed in the last $2 seconds.
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

    /// Deletes the rows of finished uploads whose last attempt began more than $1 seconds ago.
    ///
    /// The transaction that finishes an upload keeps its row if there were several attempts. If a redelivery runs
    /// ``beginUpload`` before that transaction is committed, it can also insert the row again after the commit.
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

    // MARK: Describing

    /// Changes the description. The time of the change is later than those of all earlier changes, also if another
    /// worker with another clock made them.
    static let update = Statement(
        """
        UPDATE media SET description = $3,
            described_at = greatest($4, coalesce(described_at, created_at) + interval '1 millisecond')
        WHERE id = $1 AND owner_id = $2
        RETURNING \(columns), described_at
        """)

    // MARK: Deleting

    static let owned = Statement("SELECT id FROM media WHERE id = ANY ($1) AND owner_id = $2")

    static let locked = Statement("SELECT \(columns) FROM media WHERE id = $1 AND owner_id = $2 FOR UPDATE")

    static let delete = Statement("DELETE FROM media WHERE id = $1 AND owner_id = $2")
}

extension Media: KeysetItem {
    /// Decodes a row with the columns that all statements select for a media item.
    package init(_ row: Row) throws(PostgresError) {
        let (id, url, contentType, bytes, width, height, createdAt, description) = try row.decode(
            (UUID, String, String, Int, Int, Int, Timestamp, String?).self)
        self.init(
            id: id, url: url, contentType: contentType, bytes: bytes, width: width, height: height,
            createdAt: createdAt, description: description)
    }
}
