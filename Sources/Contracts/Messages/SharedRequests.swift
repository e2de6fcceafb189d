internal import ASCII
package import FoundationEssentials

/// The body of a query for one post or picture: `post.get` and `media.get`.
package struct EntityRequest: SchemaCodable, Hashable {
    package let id: UUID

    package init(id: UUID) {
        self.id = id
    }

    package static let faultyPart = Problem.FaultyPart.request

    package static let schema = Schema<EntityRequest>.object(
        "EntityRequest",
        field("id", \.id, .uuid.described("The id of the post or picture.")),
        make: EntityRequest.init)
}

/// The field `ifMatch` of the commands that change a post or picture. The ingress fills it with the entity tags of the
/// header field `If-Match`.
package enum IfMatch {
    /// The name of the field.
    package static let name = "ifMatch"
    /// The maximum number of tags in an `If-Match` field of an HTTP request. The ingress can pass on two for each.
    package static let maximumCount = 100
    /// The maximum length of a tag, with its quotes.
    package static let maximumLength = 256

    static let schema = Schema<[String]>.array(of: .string(2...maximumLength), max: 2 * maximumCount).described(
        "The post or picture must have one of these entity tags, each with its quotes, as in the header `etag` of the "
            + "reply that contained it. Otherwise the reply is `precondition-failed`.")
}

/// The body of `post.delete` and `media.delete`.
package struct DeleteRequest: SchemaCodable, Hashable {
    package let id: UUID
    /// The post or picture must have one of these entity tags; `nil` if it may have any.
    package let ifMatch: [String]?

    package init(id: UUID, ifMatch: [String]? = nil) {
        self.id = id
        self.ifMatch = ifMatch
    }

    package static let faultyPart = Problem.FaultyPart.request

    package static let schema = Schema<DeleteRequest>.object(
        "DeleteRequest",
        field("id", \.id, .uuid.described("The id of the post or picture.")),
        optionalField(IfMatch.name, \.ifMatch, nullable: IfMatch.schema),
        make: DeleteRequest.init)
}

/// The body of `post.receipt` and `media.receipt`.
package struct ReceiptRequest: SchemaCodable, Hashable {
    /// The message id of the command.
    package let id: UUID
    /// The time at which the broker accepted the command; `nil` if the sender does not know it.
    package let acceptedAt: Timestamp?

    package init(id: UUID, acceptedAt: Timestamp? = nil) {
        self.id = id
        self.acceptedAt = acceptedAt
    }

    package static let faultyPart = Problem.FaultyPart.request

    package static let schema = Schema<ReceiptRequest>.object(
        "ReceiptRequest",
        field("id", \.id, .uuid.described("The `message_id` of the command.")),
        optionalField(
            "acceptedAt", \.acceptedAt,
            .timestamp.described(
                "The time at which the command was accepted. If it is longer ago than the retention time and no "
                    + "result is stored, the reply is the problem `receipt-expired` instead of `accepted`.")),
        make: ReceiptRequest.init)
}

/// The body of `post.list` and `media.list`. It requests a page by its number, or the page after a cursor.
package struct ListRequest: SchemaCodable, Hashable {
    /// The maximum number of elements.
    package let limit: Int
    /// The number of the page, counted from 1. If it is `nil`, the request is for the page after ``cursor``, or for the
    /// first page if there is no cursor.
    package let page: Int?
    /// The `nextCursor` of the previous page.
    package let cursor: String?

    package init(limit: Int = 10, page: Int? = nil, cursor: String? = nil) {
        self.limit = limit
        self.page = page
        self.cursor = cursor
    }

    package static let faultyPart = Problem.FaultyPart.query

    package static let schema = Schema<ListRequest>.object(
        "ListRequest",
        field("limit", \.limit, .pageLimit, default: 10),
        optionalField("page", \.page, .pageNumber),
        optionalField(
            "cursor", \.cursor,
            .string(1...512).matching("[A-Za-z0-9_=-]*", "must be the nextCursor of a page") { $0.isBase64URL }
                .described("The `nextCursor` of the previous page.")),
        make: ListRequest.init
    ).excluding("page", "cursor") { $0.page == nil || $0.cursor == nil }
}

extension Schema where Value == Int {
    /// The size of a page.
    static var pageLimit: Schema { integer(1...100).described("The maximum number of elements.") }

    /// The number of a page. The bound keeps the product of page and limit within the range of a database integer.
    static var pageNumber: Schema { integer(1...1_000_000).described("The number of the page, counted from 1.") }
}

extension String {
    fileprivate var isBase64URL: Bool {
        utf8.allSatisfy { $0.isASCIILetterOrDigit || "-_=".utf8.contains($0) }
    }
}
