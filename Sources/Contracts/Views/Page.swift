/// An element of a list that is sent in pages.
package protocol PageItem: SchemaCodable {
    /// The schema of a page. Each type of element has a schema of its own, because the names of two members depend on
    /// the type, for example `posts` and `totalPosts`.
    static var pageSchema: Schema<Page<Self>> { get }
}

/// A part of a list. It is either a numbered page, which has totals, or the elements after a cursor, without totals.
package struct Page<Item: PageItem>: SchemaCodable {
    /// The number of a page and the size of the whole list.
    package struct Position: Sendable, Hashable {
        /// The number of the page, counted from 1.
        package let page: Int
        /// The number of elements in the whole list, or a lower bound of it.
        package let total: Int
        /// Whether ``total`` is exact. If not, the list has at least as many elements.
        package let isExact: Bool

        package init(page: Int, total: Int, isExact: Bool = true) {
            self.page = page
            self.total = total
            self.isExact = isExact
        }
    }

    /// The maximum size of a page's JSON in bytes. It follows from the maximum number of elements and the maximum size
    /// of one element.
    package static var maximumBytes: Int { 8 << 20 }

    /// The elements of this page, in the order of the list.
    package let items: [Item]
    /// The maximum number of elements that the request asked for.
    package let limit: Int
    /// The position of a numbered page; `nil` if the request had a cursor.
    package let number: Position?
    /// The cursor of the next page; `nil` on the last page.
    package let nextCursor: String?

    package init(items: [Item], limit: Int, number: Position?, nextCursor: String? = nil) {
        self.items = items
        self.limit = limit
        self.number = number
        self.nextCursor = nextCursor
    }

    package static var schema: Schema<Page<Item>> { Item.pageSchema }

    private var totalPages: Int? {
        number.map { limit > 0 ? ($0.total + limit - 1) / limit : 0 }
    }

    /// Returns the schema of the pages of a list that is also read by cursor: numbered pages, and pages after a cursor.
    ///
    /// - Parameters:
    ///   - name: the name of numbered pages in the documentation; pages after a cursor have the suffix `AfterCursor`.
    ///   - items: the name of the member that contains the elements.
    ///   - total: the name of the member that contains the size of the whole list.
    static func schema(name: String, items: String, total: String) -> Schema<Page<Item>> {
        let list = field(items, { (page: Page<Item>) in page.items }, .array(of: Item.schema))
        let limit = field("limit", { (page: Page<Item>) in page.limit }, .integer(1...))
        let cursor = field(
            "nextCursor", { (page: Page<Item>) in page.nextCursor }, Schema<String>.string.nullable, default: nil)
        let numbered = Schema<Page<Item>>.object(
            name, unknownFields: .ignored, list,
            field("page", { (page: Page<Item>) in page.number?.page ?? 1 }, .integer(1...)),
            limit,
            field(total, { (page: Page<Item>) in page.number?.total ?? 0 }, .integer(0...)),
            field("totalPages", { (page: Page<Item>) in page.totalPages ?? 0 }, .integer(0...)),
            cursor
        ) { items, page, limit, total, _, nextCursor in
            Page(items: items, limit: limit, number: Position(page: page, total: total), nextCursor: nextCursor)
        }
        let afterCursor = Schema<Page<Item>>.object(
            "\(name)AfterCursor", unknownFields: .ignored, list, limit, cursor
        ) { items, limit, nextCursor in
            Page(items: items, limit: limit, number: nil, nextCursor: nextCursor)
        }
        return .either(numbered, afterCursor) { $0.number != nil }
    }

    /// Returns the schema of the pages of a list without a cursor. Such pages are always numbered.
    ///
    /// - Parameters:
    ///   - name: the name of the type in the documentation.
    ///   - items: the name of the member that contains the elements.
    ///   - total: the name of the member that contains the size of the whole list.
    ///   - exactness: the description of the member `totalIsExact`.
    static func schema(
        name: String, items: String, total: String, exactness: String
    ) -> Schema<Page<Item>> {
        .object(
            name, unknownFields: .ignored,
            field(items, { (page: Page<Item>) in page.items }, .array(of: Item.schema)),
            optionalField("page", { (page: Page<Item>) in page.number?.page }, .integer(1...)),
            field("limit", { (page: Page<Item>) in page.limit }, .integer(1...)),
            optionalField(total, { (page: Page<Item>) in page.number?.total }, .integer(0...)),
            optionalField(
                "totalIsExact", { (page: Page<Item>) in page.number?.isExact },
                Schema<Bool>.boolean.described(exactness)),
            optionalField("totalPages", { (page: Page<Item>) in page.totalPages }, .integer(0...))
        ) { items, page, limit, total, isExact, _ in
            Page(items: items, limit: limit, number: Position(page: page, total: total, isExact: isExact ?? true))
        }
    }
}

extension Page: Equatable where Item: Equatable {}

extension Page: Hashable where Item: Hashable {}

extension Page.Position {
    fileprivate init?(page: Int?, total: Int?, isExact: Bool) {
        guard let page, let total else { return nil }
        self.init(page: page, total: total, isExact: isExact)
    }
}
