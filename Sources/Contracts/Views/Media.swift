package import FoundationEssentials

/// A picture, as shown to its owner.
package struct Media: PageItem, Hashable {
    package let id: UUID
    package let url: String
    package let contentType: String
    /// The size of the file in bytes.
    package let bytes: Int
    /// The width in pixels.
    package let width: Int
    /// The height in pixels.
    package let height: Int
    package let createdAt: Timestamp
    /// The description of the picture for people who do not see it; `nil` if it has none.
    package let description: String?

    package init(
        id: UUID, url: String, contentType: String, bytes: Int, width: Int, height: Int, createdAt: Timestamp,
        description: String? = nil
    ) {
        self.id = id
        self.url = url
        self.contentType = contentType
        self.bytes = bytes
        self.width = width
        self.height = height
        self.createdAt = createdAt
        self.description = description
    }

    package static let schema = Schema<Media>.object(
        "Media", unknownFields: .ignored,
        field("id", \.id, .uuid),
        field("url", \.url, Schema<String>.string.format("uri")),
        field("contentType", \.contentType, .string),
        field("bytes", \.bytes, .integer(0...)),
        field("width", \.width, .integer(0...)),
        field("height", \.height, .integer(0...)),
        field("createdAt", \.createdAt, .timestamp),
        field("description", \.description, Schema<String>.string.nullable, default: nil),
        make: Media.init)

    package static let pageSchema = Page<Media>.schema(name: "MediaPage", items: "media", total: "totalMedia")
}
