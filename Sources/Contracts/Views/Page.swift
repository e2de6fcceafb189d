/// An element of a list that is sent in pages.
package protocol PageItem: SchemaCodable {
    /// The schema of a page. It is specific to the type, because the members `posts` and `totalPosts` are named
    /// after it.
    static var pageSchema: Schema<Page<Self>> { get }
}

/// A part of a list: a numbered page with totals, or the elements after a cursor without totals.
package struct Page<Item: PageItem>: SchemaCodable {
    /// The number of a page and the size of the whole list.
    package struct Number: Sendable, Hashable {
        /// Counted from 1.
        package let page: Int
        /// The number of elements on all pages.
        package let total: Int

        package init(page: Int, total: Int) {
            self.page = page
            self.total = total
        }
    }

    /// The elements of this page, in the order of the list.
    package let items: [Item]
    /// The maximum number of elements that the request asked for.
    package let limit: Int
    /// `nil` if the request had a cursor.
    package let number: Number?
    /// The cursor of the next page; `nil` on the last page.
    package let nextCursor: String?

    package init(items: [Item], limit: Int, number: Number?, nextCursor: String? = nil) {
        self.items = items
        self.limit = limit
        self.number = number
        self.nextCursor = nextCursor
    }

    package static var schema: Schema<Page<Item>> { Item.pageSchema }

    private var totalPages: Int? {
        number.map { limit > 0 ? ($0.total + limit - 1) / limit : 0 }
    }

    static func schema(
        name: String, items: String, total: String, hasCursor: Bool = true
    ) -> Schema<Page<Item>> {
        let page = optionalField("page", { (page: Page<Item>) in page.number?.page }, .integer(1...))
        let totals = optionalField(total, { (page: Page<Item>) in page.number?.total }, .integer(0...))
        let pages = optionalField("totalPages", { (page: Page<Item>) in page.totalPages }, .integer(0...))
        let list = field(items, { (page: Page<Item>) in page.items }, .array(of: Item.schema))
        let limit = field("limit", { (page: Page<Item>) in page.limit }, .integer(1...))
        guard hasCursor else {
            return .object(name, unknownFields: .ignored, list, page, limit, totals, pages) {
                items, page, limit, total, _ in
                Page(items: items, limit: limit, number: Number(page: page, total: total))
            }
        }
        let cursor = field(
            "nextCursor", { (page: Page<Item>) in page.nextCursor }, Schema<String>.string.nullable, default: nil)
        return .object(name, unknownFields: .ignored, list, page, limit, totals, pages, cursor) {
            items, page, limit, total, _, nextCursor in
            Page(items: items, limit: limit, number: Number(page: page, total: total), nextCursor: nextCursor)
        }
    }
}

extension Page: Equatable where Item: Equatable {}

extension Page: Hashable where Item: Hashable {}

extension Page.Number {
    fileprivate init?(page: Int?, total: Int?) {
        guard let page, let total else { return nil }
        self.init(page: page, total: total)
    }
}
