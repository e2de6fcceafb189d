package import FoundationEssentials

/// The author of a post, with the username that the author had when the post was created.
package struct Author: SchemaCodable, Hashable {
    package let id: UUID
    package let username: String

    package init(id: UUID, username: String) {
        self.id = id
        self.username = username
    }

    package static let schema = Schema<Author>.object(
        "Author", unknownFields: .ignored,
        field("id", \.id, .uuid),
        field("username", \.username, .string),
        make: Author.init)
}

/// A picture of a post.
package struct PostMedia: SchemaCodable, Hashable {
    package let id: UUID
    /// `nil` until the post service has received the event `media.uploaded` about the picture.
    package let url: String?
    /// The description of the picture for people who do not see it; `nil` if it has none.
    package let description: String?

    package init(id: UUID, url: String?, description: String? = nil) {
        self.id = id
        self.url = url
        self.description = description
    }

    package static let schema = Schema<PostMedia>.object(
        "PostMedia", unknownFields: .ignored,
        field("id", \.id, .uuid),
        field("url", \.url, Schema<String>.string.format("uri").nullable),
        field("description", \.description, Schema<String>.string.nullable, default: nil),
        make: PostMedia.init)
}

/// A post, as shown to every account.
package struct Post: PageItem, Hashable {
    package let id: UUID
    package let author: Author
    package let content: String
    package let media: [PostMedia]
    package let createdAt: Timestamp

    package init(id: UUID, author: Author, content: String, media: [PostMedia], createdAt: Timestamp) {
        self.id = id
        self.author = author
        self.content = content
        self.media = media
        self.createdAt = createdAt
    }

    package static let schema = Schema<Post>.object(
        "Post", unknownFields: .ignored,
        field("id", \.id, .uuid),
        field("author", \.author, Author.schema),
        field("content", \.content, .string),
        field("media", \.media, .array(of: PostMedia.schema)),
        field("createdAt", \.createdAt, .timestamp),
        make: Post.init)

    package static let pageSchema = Page<Post>.schema(name: "PostPage", items: "posts", total: "totalPosts")
}
