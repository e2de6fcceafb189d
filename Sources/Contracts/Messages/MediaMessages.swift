extension Messages.Media {
    /// The maximum size of a file in bytes: 5 MiB.
    package static let uploadLimit = 5 * 1024 * 1024

    /// Stores a picture of the caller and publishes `media.uploaded`. The service detects the type from the
    /// bytes of the file.
    package static let upload = MessageType(
        "media.upload", .command, of: .media, "Stores a picture of the caller.",
        queue: Queue.mediaUploads, request: .file(limit: uploadLimit), reply: .json(201, example: Media.example),
        problems: [.bodyTooLarge, .unsupportedMediaType], deadline: .seconds(30))
    /// Deletes a picture of the caller and publishes `media.deleted`.
    package static let delete = MessageType(
        "media.delete", .command, of: .media, "Deletes a picture of the caller.",
        request: .json(example: EntityRequest.example), reply: .empty, problems: [.mediaNotFound])
    /// Reads a picture of the caller.
    package static let get = MessageType(
        "media.get", .query, of: .media, "Reads a picture of the caller.",
        request: .json(example: EntityRequest.example), reply: .json(200, example: Media.example),
        problems: [.mediaNotFound])
    /// Lists the caller's pictures, newest first.
    package static let list = MessageType(
        "media.list", .query, of: .media, "Lists the caller's pictures, newest first.",
        request: .json(example: ListRequest.example), reply: .json(200, example: Page<Media>.example(.example)))
    /// Reads the state of a command of the media service. For any other account the command is `accepted`.
    package static let receipt = MessageType(
        "media.receipt", .query, of: .media, "Reads the state of a command that the caller sent to the media service.",
        request: .json(example: EntityRequest.example), reply: .json(200, example: Receipt.example(Media.example)))

    static let types: [any AnyMessageType] = [upload, delete, get, list, receipt]
}
