package import Contracts
package import FoundationEssentials
package import Postgres

/// An item of a list that is ordered by creation time and id, newest first.
package protocol KeysetItem: PageItem {
    /// The creation time.
    var createdAt: Timestamp { get }
    /// The id, which orders items of the same time.
    var id: UUID { get }

    /// Decodes a row.
    init(_ row: Row) throws(PostgresError)
}

extension ListRequest {
    /// The number of rows to select for a page. The row after the page's last one shows that there is a next page.
    package var rowLimit: Int { limit + 1 }
}

extension Page where Item: KeysetItem {
    /// Makes a page of ``ListRequest/rowLimit`` selected rows.
    ///
    /// - Parameter number: the place of a numbered page.
    package init(_ rows: Rows, of request: ListRequest, number: Number?) throws(PostgresError) {
        var items: [Item] = []
        for row in rows.prefix(request.limit) { items.append(try Item(row)) }
        let last = rows.count > request.limit ? items.last : nil
        self.init(
            items: items, limit: request.limit, number: number,
            nextCursor: last.map { KeysetCursor(time: $0.createdAt, id: $0.id).text })
    }
}
