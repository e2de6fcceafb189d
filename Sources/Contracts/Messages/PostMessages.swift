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
            .array(of: .uuid, max: 10, unique: true).documented(rule: "ids that differ only in case are equal"),
            default: []),
        make: CreatePost.init)
}

extension Messages.Post {
    /// Stores a post by the caller and publishes `post.created`.
    package static let create = MessageType(
        "post.create", .command, of: .post, "Stores a post by the caller.",
        request: .json(example: CreatePost(content: "Hello, burrow", mediaIds: [.example])),
        reply: .json(201, example: Post.example))
    /// Deletes one of the caller's posts and publishes `post.deleted`. If the post belongs to another account, the
    /// reply is `post-not-found`.
    package static let delete = MessageType(
        "post.delete", .command, of: .post, "Deletes one of the caller's posts.",
        request: .json(example: DeleteRequest.example), reply: .empty, problems: [.postNotFound, .preconditionFailed])
    /// Reads a post.
    package static let get = MessageType(
        "post.get", .query, of: .post, "Reads a post.",
        request: .json(example: EntityRequest.example), reply: .json(200, example: Post.example),
        problems: [.postNotFound])
    /// Lists the posts of all accounts, newest first.
    package static let list = MessageType(
        "post.list", .query, of: .post, "Lists the posts of all accounts, newest first.",
        request: .json(example: ListRequest.example), reply: .json(200, example: Page<Post>.example(.example)))
    /// Reads the state of a command that the caller sent to the post service. The status is `accepted` if the service
    /// has no result of this caller's command, also if the id belongs to another account. If `acceptedAt` is longer ago
    /// than the retention time, the reply is `receipt-expired` instead.
    package static let receipt = MessageType(
        "post.receipt", .query, of: .post, "Reads the state of a command that the caller sent to the post service.",
        request: .json(example: ReceiptRequest.example), reply: .json(200, example: Receipt.example(Post.example)),
        problems: [.receiptExpired])

    static let types: [any AnyMessageType] = [create, delete, get, list, receipt]
}
