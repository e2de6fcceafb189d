package import Contracts
package import FoundationEssentials
package import Postgres

/// An item of a list that is ordered by creation time and id, newest first.
package protocol KeysetItem: PageItem {
    /// The creation time.
    var createdAt: Timestamp { get }
    /// The id. Items with the same creation time are ordered by id.
    var id: UUID { get }

    /// Decodes a row.
    init(_ row: Row) throws(PostgresError)
}

extension ListRequest {
    /// The number of rows to select for a page: one more than the page has. The additional row shows that there is a
    /// next page.
    package var rowLimit: Int { limit + 1 }
}

extension Page where Item: KeysetItem {
    /// Makes a page from the selected rows, which are at most ``ListRequest/rowLimit``.
    ///
    /// - Parameter number: the position of a numbered page; `nil` for a page after a cursor.
    package init(_ rows: Rows, of request: ListRequest, number: Position?) throws(PostgresError) {
        var items: [Item] = []
        for row in rows.prefix(request.limit) { items.append(try Item(row)) }
        let last = rows.count > request.limit ? items.last : nil
        self.init(
            items: items, limit: request.limit, number: number,
            nextCursor: last.map { KeysetCursor(time: $0.createdAt, id: $0.id).text })
    }
}
