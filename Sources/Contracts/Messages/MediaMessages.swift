extension Messages.Media {
    /// The most bytes that a file may have: 5 MiB.
    package static let uploadLimit = 5 * 1024 * 1024

    /// Stores a picture of the caller and publishes `media.uploaded`. The body is the file as it is, and its bytes
    /// tell what it is; `unsupported-media-type` where they tell nothing that is taken.
    package static let upload = MessageType(
        "media.upload", .command, of: .media, "Stores a picture of the caller.",
        queue: Queue.mediaUploads, request: .bytes(limit: uploadLimit),
        status: 201, reply: Media.schema, problems: [.bodyTooLarge, .unsupportedMediaType], deadline: .seconds(30))
    /// Deletes a picture of the caller and publishes `media.deleted`; `media-not-found`.
    package static let delete = MessageType(
        "media.delete", .command, of: .media, "Deletes a picture of the caller.",
        request: .json(EntityRequest.schema), status: 204,
        reply: Schema<EmptyBody>?.none, problems: [.mediaNotFound])
    /// Reads one picture of the caller; `media-not-found`.
    package static let get = MessageType(
        "media.get", .query, of: .media, "Reads one picture of the caller.",
        request: .json(EntityRequest.schema), status: 200, reply: Media.schema, problems: [.mediaNotFound])
    /// Reads a part of the caller's pictures, newest first.
    package static let list = MessageType(
        "media.list", .query, of: .media, "Reads a part of the caller's pictures, newest first.",
        request: .json(ListRequest.schema), status: 200, reply: Media.pageSchema)
    /// Reads what became of a command to the media service; to all but its caller it is only `accepted`.
    package static let receipt = MessageType(
        "media.receipt", .query, of: .media, "Reads what became of a command to the media service.",
        request: .json(EntityRequest.schema), status: 200,
        reply: Receipt.schema)

    static let all = [
        upload.descriptor, delete.descriptor, get.descriptor, list.descriptor, receipt.descriptor,
    ]
}
