/// The body of `search.posts`.
package struct SearchPosts: SchemaCodable, Hashable {
    package let query: String
    package let limit: Int
    package let page: Int

    package init(query: String, limit: Int = 10, page: Int = 1) {
        self.query = query
        self.limit = limit
        self.page = page
    }

    package static let faultyPart = Problem.FaultyPart.query

    package static let schema = Schema<SearchPosts>.object(
        "SearchPosts",
        field(
            "query", \.query,
            .string(1...200).notBlank.described(
                "The words to find. Quotes enclose a phrase, `or` separates alternatives, and `-` before a word "
                    + "excludes it.")),
        field("limit", \.limit, .pageLimit, default: 10),
        field("page", \.page, .pageNumber, default: 1),
        make: SearchPosts.init)
}

extension Messages.Search {
    /// Finds posts, best match first.
    package static let posts = MessageType(
        "search.posts", .query, of: .search, "Finds posts, best match first.",
        request: .json(example: SearchPosts(query: "burrow")),
        reply: .json(200, example: Page<SearchHit>.example(.example)))

    static let types: [any AnyMessageType] = [posts]
}
