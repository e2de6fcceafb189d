package import FoundationEssentials

/// A post was stored.
package struct PostCreated: ContractEvent {
    package let post: Post
    /// The ids of the post's pictures, in the order of `post.media`.
    package let mediaIds: [UUID]

    package init(post: Post, mediaIds: [UUID]) {
        self.post = post
        self.mediaIds = mediaIds
    }

    package static let type = "post.created"
    package static let service = ServiceName.post
    package static let summary = "A post was stored."
    package static let subscribers = [ServiceName.search]
    package static let example = PostCreated(post: .example, mediaIds: [.example])
    package var subject: UUID { post.id }

    package static let schema = Schema<PostCreated>.object(
        "PostCreated", unknownFields: .ignored,
        field("id", \.post.id, .uuid),
        field("author", \.post.author, Author.schema),
        field("content", \.post.content, .string),
        field("media", \.post.media, .array(of: PostMedia.schema)),
        field("createdAt", \.post.createdAt, .timestamp),
        field("mediaIds", \.mediaIds, .array(of: .uuid))
    ) { id, author, content, media, createdAt, mediaIds in
        PostCreated(
            post: Post(id: id, author: author, content: content, media: media, createdAt: createdAt),
            mediaIds: mediaIds)
    }
}

/// A post was deleted.
package struct PostDeleted: ContractEvent {
    package let id: UUID
    package let authorId: UUID
    package let mediaIds: [UUID]
    package let deletedAt: Timestamp

    package init(id: UUID, authorId: UUID, mediaIds: [UUID], deletedAt: Timestamp) {
        self.id = id
        self.authorId = authorId
        self.mediaIds = mediaIds
        self.deletedAt = deletedAt
    }

    package static let type = "post.deleted"
    package static let service = ServiceName.post
    package static let summary = "A post was deleted."
    package static let subscribers = [ServiceName.media, .search]
    package static let example = PostDeleted(
        id: .example, authorId: .example, mediaIds: [.example], deletedAt: .example)
    package var subject: UUID { id }

    package static let schema = Schema<PostDeleted>.object(
        "PostDeleted", unknownFields: .ignored,
        field("id", \.id, .uuid),
        field("authorId", \.authorId, .uuid),
        field("mediaIds", \.mediaIds, .array(of: .uuid)),
        field("deletedAt", \.deletedAt, .timestamp),
        make: PostDeleted.init)
}
