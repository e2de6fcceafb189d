internal import Contracts
internal import FoundationEssentials
internal import Postgres

extension Post {
    /// Reads a row of the columns that every statement of posts selects.
    init(_ row: Row) throws(PostgresError) {
        let (id, authorID, authorName, content, createdAt, mediaIDs, urls) = try row.decode(
            (UUID, UUID, String, String, PostgresTimestamp, [UUID], [String]).self)
        self.init(
            id: id, author: Author(id: authorID, username: authorName), content: content,
            media: zip(mediaIDs, urls).map { PostMedia(id: $0, url: $1.isEmpty ? nil : $1) },
            createdAt: Timestamp(milliseconds: createdAt.milliseconds))
    }
}
