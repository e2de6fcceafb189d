package import FoundationEssentials

/// A post that matches a search.
package struct SearchHit: PageItem, Hashable {
    package let id: UUID
    package let author: Author
    package let content: String
    package let createdAt: Timestamp
    /// The relevance of the match. A higher score is a better match. Scores can be compared only within the hits of one
    /// search.
    package let score: Double
    /// An extract of the content as HTML, with the matches in `<mark>` elements.
    package let highlight: String

    package init(id: UUID, author: Author, content: String, createdAt: Timestamp, score: Double, highlight: String) {
        self.id = id
        self.author = author
        self.content = content
        self.createdAt = createdAt
        self.score = score
        self.highlight = highlight
    }

    package static let schema = Schema<SearchHit>.object(
        "SearchHit", unknownFields: .ignored,
        field("id", \.id, .uuid),
        field("author", \.author, Author.schema),
        field("content", \.content, .string),
        field("createdAt", \.createdAt, .timestamp),
        field("score", \.score, .number),
        field("highlight", \.highlight, .string),
        make: SearchHit.init)

    package static let pageSchema = Page<SearchHit>.schema(
        name: "SearchPage", items: "posts", total: "totalPosts",
        exactness: "If false, more posts may match than were counted: totalPosts and totalPages are lower bounds. If "
            + "absent, the total is exact. At most 10,000 matches are counted.")
}
