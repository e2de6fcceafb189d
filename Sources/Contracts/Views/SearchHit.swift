package import FoundationEssentials

/// A post that a search found.
package struct SearchHit: PageItem, Hashable {
    package let id: UUID
    package let author: Author
    package let content: String
    package let createdAt: Timestamp
    /// How well it fits; only its order means something.
    package let score: Double
    /// A piece of the content with what was found marked.
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
        name: "SearchPage", items: "posts", total: "totalPosts", hasCursor: false)
}
