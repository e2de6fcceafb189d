package import FoundationEssentials

/// The body of every message about one thing: `post.get`, `post.delete`, `media.get`, `media.delete` and receipts.
package struct EntityRequest: SchemaCodable, Hashable {
    package let id: UUID

    package init(id: UUID) {
        self.id = id
    }

    package static let schema = Schema<EntityRequest>.object(
        "EntityRequest", field("id", \.id, .uuid), make: EntityRequest.init)
}
