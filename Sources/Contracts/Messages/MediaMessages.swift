package import FoundationEssentials

/// The body of `media.update`.
package struct UpdateMedia: SchemaCodable, Hashable {
    package let id: UUID
    /// The new description; `nil` if the picture shall have none.
    package let description: String?
    /// The entity tags of which the picture must have one; `nil` if it may have any.
    package let ifMatch: [String]?

    package init(id: UUID, description: String?, ifMatch: [String]? = nil) {
        self.id = id
        self.description = description
        self.ifMatch = ifMatch
    }

    package static let faultyPart = Problem.FaultyPart.request

    package static let schema = Schema<UpdateMedia>.object(
        "UpdateMedia",
        field("id", \.id, .uuid.described("The id of the picture.")),
        field("description", \.description, MediaDescription.schema.nullable),
        optionalField(IfMatch.name, \.ifMatch, nullable: IfMatch.schema),
        make: UpdateMedia.init)
}

extension Messages.Media {
    /// The maximum size of a file in bytes: 5 MiB.
    package static let uploadLimit = 5 * 1024 * 1024

    /// Stores a picture for the caller and publishes `media.uploaded`. The service determines the content type of the
    /// picture from the bytes of the file, not from the request. The header `description` has the description of the
    /// picture.
    package static let upload = MessageType(
        "media.upload", .command, of: .media, "Stores a picture for the caller.",
        queue: Queue.mediaUploads, request: .file(limit: uploadLimit), reply: .json(201, example: Media.example),
        problems: [.bodyTooLarge, .unsupportedMediaType], timeout: .seconds(30))
    /// Deletes one of the caller's pictures and publishes `media.deleted`.
    package static let delete = MessageType(
        "media.delete", .command, of: .media, "Deletes one of the caller's pictures.",
        request: .json(example: DeleteRequest.example), reply: .empty, problems: [.mediaNotFound, .preconditionFailed])
    /// Changes the description of one of the caller's pictures and publishes `media.updated`.
    package static let update = MessageType(
        "media.update", .command, of: .media, "Changes the description of one of the caller's pictures.",
        request: .json(example: UpdateMedia(id: .example, description: Media.exampleDescription)),
        reply: .json(200, example: Media.example), problems: [.mediaNotFound, .preconditionFailed])
    /// Reads one of the caller's pictures.
    package static let get = MessageType(
        "media.get", .query, of: .media, "Reads one of the caller's pictures.",
        request: .json(example: EntityRequest.example), reply: .json(200, example: Media.example),
        problems: [.mediaNotFound])
    /// Lists the caller's pictures, newest first.
    package static let list = MessageType(
        "media.list", .query, of: .media, "Lists the caller's pictures, newest first.",
        request: .json(example: ListRequest.example), reply: .json(200, example: Page<Media>.example(.example)))
    /// Reads the state of a command that the caller sent to the media service. The status is `accepted` if the service
    /// has no result of this caller's command, also if the id belongs to another account. If `acceptedAt` is longer ago
    /// than the retention time, the reply is `receipt-expired` instead.
    package static let receipt = MessageType(
        "media.receipt", .query, of: .media, "Reads the state of a command that the caller sent to the media service.",
        request: .json(example: ReceiptRequest.example), reply: .json(200, example: Receipt.example(Media.example)),
        problems: [.receiptExpired])

    static let types: [any AnyMessageType] = [upload, update, delete, get, list, receipt]
}
