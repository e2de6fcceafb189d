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

    package static let schema = Schema<SearchPosts>.object(
        "SearchPosts",
        field("query", \.query, .string(1...200).notBlank),
        field("limit", \.limit, .pageLimit, default: 10),
        field("page", \.page, .pageNumber, default: 1),
        make: SearchPosts.init)
}

extension Messages.Search {
    /// Finds posts, the best first.
    package static let posts = MessageType(
        "search.posts", .query, of: .search, "Finds posts, the best first.",
        request: .json(SearchPosts.schema), status: 200,
        reply: SearchHit.pageSchema)

    static let all = [posts.descriptor]
}
