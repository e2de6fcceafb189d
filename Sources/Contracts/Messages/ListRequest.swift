/// The body of `post.list` and of `media.list`: a numbered page, or what follows a cursor.
package struct ListRequest: SchemaCodable, Hashable {
    /// How many at most.
    package let limit: Int
    /// Counted from 1; none where there is a cursor, or nothing is said, which is the first page.
    package let page: Int?
    /// The `nextCursor` of the page before.
    package let cursor: String?

    package init(limit: Int = 10, page: Int? = nil, cursor: String? = nil) {
        self.limit = limit
        self.page = page
        self.cursor = cursor
    }

    package static let schema = Schema<ListRequest>.object(
        "ListRequest",
        field("limit", \.limit, .pageLimit, default: 10),
        optionalField("page", \.page, .pageNumber),
        optionalField(
            "cursor", \.cursor,
            .string(1...512).matching("[A-Za-z0-9_=-]*", "must be a cursor that a list gave") { $0.isBase64URL }),
        make: ListRequest.init
    ).excluding("page", "cursor") { $0.page == nil || $0.cursor == nil }
}

extension Schema where Value == Int {
    /// How many elements a page has.
    static var pageLimit: Schema { integer(1...100) }

    /// The number of a page; bounded so that page times limit stays a number that a database takes.
    static var pageNumber: Schema { integer(1...1_000_000) }
}

extension String {
    fileprivate var isBase64URL: Bool {
        utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "="):
                true
            default: false
            }
        }
    }
}
