package import FoundationEssentials

/// A picture is stored and can be shown.
package struct MediaUploaded: DomainEvent {
    package let media: Media
    package let ownerId: UUID

    package init(media: Media, ownerId: UUID) {
        self.media = media
        self.ownerId = ownerId
    }

    package static let type = "media.uploaded"
    package static let service = ServiceName.media
    package var subject: UUID { media.id }

    package static let schema = Schema<MediaUploaded>.object(
        "MediaUploaded", unknownFields: .ignored,
        field("id", \.media.id, .uuid),
        field("url", \.media.url, Schema<String>.string.format("uri")),
        field("contentType", \.media.contentType, .string),
        field("bytes", \.media.bytes, .integer(0...)),
        field("width", \.media.width, .integer(0...)),
        field("height", \.media.height, .integer(0...)),
        field("createdAt", \.media.createdAt, .timestamp),
        field("ownerId", \.ownerId, .uuid)
    ) { id, url, contentType, bytes, width, height, createdAt, ownerId in
        MediaUploaded(
            media: Media(
                id: id, url: url, contentType: contentType, bytes: bytes, width: width, height: height,
                createdAt: createdAt), ownerId: ownerId)
    }
}

/// A picture is gone.
package struct MediaDeleted: DomainEvent {
    package let id: UUID
    package let ownerId: UUID

    package init(id: UUID, ownerId: UUID) {
        self.id = id
        self.ownerId = ownerId
    }

    package static let type = "media.deleted"
    package static let service = ServiceName.media
    package var subject: UUID { id }

    package static let schema = Schema<MediaDeleted>.object(
        "MediaDeleted", unknownFields: .ignored,
        field("id", \.id, .uuid),
        field("ownerId", \.ownerId, .uuid),
        make: MediaDeleted.init)
}
