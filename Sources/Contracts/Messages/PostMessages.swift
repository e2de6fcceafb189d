package import FoundationEssentials

/// The body of `post.create`.
package struct CreatePost: SchemaCodable, Hashable {
    package let content: String
    package let mediaIds: [UUID]

    package init(content: String, mediaIds: [UUID] = []) {
        self.content = content
        self.mediaIds = mediaIds
    }

    package static let schema = Schema<CreatePost>.object(
        "CreatePost",
        field("content", \.content, .string(1...5000).notBlank),
        field(
            "mediaIds", \.mediaIds,
            .array(of: .uuid, max: 10, unique: true).documented(rule: "ids that differ only in case are the same"),
            default: []),
        make: CreatePost.init)
}

extension Messages.Post {
    /// Stores a post of the caller and publishes `post.created`.
    package static let create = MessageType(
        "post.create", .command, of: .post, "Stores a post of the caller.",
        request: .json(CreatePost.schema), status: 201, reply: Post.schema)
    /// Deletes a post of the caller and publishes `post.deleted`; `post-not-found` where it is no one's or another's.
    package static let delete = MessageType(
        "post.delete", .command, of: .post, "Deletes a post of the caller.",
        request: .json(EntityRequest.schema), status: 204,
        reply: Schema<EmptyBody>?.none, problems: [.postNotFound])
    /// Reads one post; `post-not-found`.
    package static let get = MessageType(
        "post.get", .query, of: .post, "Reads one post.",
        request: .json(EntityRequest.schema), status: 200, reply: Post.schema, problems: [.postNotFound])
    /// Reads a part of all posts, newest first.
    package static let list = MessageType(
        "post.list", .query, of: .post, "Reads a part of all posts, newest first.",
        request: .json(ListRequest.schema), status: 200, reply: Post.pageSchema)
    /// Reads what became of a command to the post service; to all but its caller it is only `accepted`.
    package static let receipt = MessageType(
        "post.receipt", .query, of: .post, "Reads what became of a command to the post service.",
        request: .json(EntityRequest.schema), status: 200, reply: Receipt.schema)

    static let all = [
        create.descriptor, delete.descriptor, get.descriptor, list.descriptor, receipt.descriptor,
    ]
}
