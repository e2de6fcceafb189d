package import FoundationEssentials

/// A picture was stored and can be shown.
package struct MediaUploaded: ContractEvent {
    package let media: Media
    package let ownerId: UUID

    package init(media: Media, ownerId: UUID) {
        self.media = media
        self.ownerId = ownerId
    }

    package static let type = "media.uploaded"
    package static let service = ServiceName.media
    package static let summary = "A picture was stored."
    package static let subscribers = [ServiceName.post]
    package static let example = MediaUploaded(media: .example, ownerId: .example)
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
        field("ownerId", \.ownerId, .uuid),
        field("description", \.media.description, Schema<String>.string.nullable, default: nil)
    ) { id, url, contentType, bytes, width, height, createdAt, ownerId, description in
        MediaUploaded(
            media: Media(
                id: id, url: url, contentType: contentType, bytes: bytes, width: width, height: height,
                createdAt: createdAt, description: description), ownerId: ownerId)
    }
}

/// The description of a picture was changed.
package struct MediaUpdated: ContractEvent {
    package let id: UUID
    package let ownerId: UUID
    /// The new description; `nil` if it was removed.
    package let description: String?
    /// The time of the change. Of several changes of one picture, the one with the latest time counts.
    package let updatedAt: Timestamp

    package init(id: UUID, ownerId: UUID, description: String?, updatedAt: Timestamp) {
        self.id = id
        self.ownerId = ownerId
        self.description = description
        self.updatedAt = updatedAt
    }

    package static let type = "media.updated"
    package static let service = ServiceName.media
    package static let summary = "The description of a picture was changed."
    package static let subscribers = [ServiceName.post]
    package static let example = MediaUpdated(
        id: .example, ownerId: .example, description: Media.exampleDescription, updatedAt: .example)
    package var subject: UUID { id }

    package static let schema = Schema<MediaUpdated>.object(
        "MediaUpdated", unknownFields: .ignored,
        field("id", \.id, .uuid),
        field("ownerId", \.ownerId, .uuid),
        field("description", \.description, Schema<String>.string.nullable),
        field("updatedAt", \.updatedAt, .timestamp),
        make: MediaUpdated.init)
}

/// A picture was deleted.
package struct MediaDeleted: ContractEvent {
    package let id: UUID
    package let ownerId: UUID

    package init(id: UUID, ownerId: UUID) {
        self.id = id
        self.ownerId = ownerId
    }

    package static let type = "media.deleted"
    package static let service = ServiceName.media
    package static let summary = "A picture was deleted."
    package static let subscribers = [ServiceName.post]
    package static let example = MediaDeleted(id: .example, ownerId: .example)
    package var subject: UUID { id }

    package static let schema = Schema<MediaDeleted>.object(
        "MediaDeleted", unknownFields: .ignored,
        field("id", \.id, .uuid),
        field("ownerId", \.ownerId, .uuid),
        make: MediaDeleted.init)
}
