internal import Contracts
internal import FoundationEssentials
internal import Postgres

extension Media {
    /// Reads a row of the columns that every statement of media selects.
    init(_ row: Row) throws(PostgresError) {
        let (id, url, contentType, bytes, width, height, createdAt) = try row.decode(
            (UUID, String, String, Int, Int, Int, PostgresTimestamp).self)
        self.init(
            id: id, url: url, contentType: contentType, bytes: bytes, width: width, height: height,
            createdAt: Timestamp(milliseconds: createdAt.milliseconds))
    }
}
