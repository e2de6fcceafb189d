extension Messages.Media {
    /// The most bytes that a file may have: 5 MiB.
    package static let uploadLimit = 5 * 1024 * 1024

    /// The body is the file as it is; what it is, its bytes tell.
    package static let upload = MessageType(
        "media.upload", .command, of: .media, queue: Queue.mediaUploads, request: .bytes(limit: uploadLimit),
        status: 201, reply: Media.schema, deadline: .seconds(30))
    package static let delete = MessageType(
        "media.delete", .command, of: .media, request: .json(EntityRequest.schema), status: 204,
        reply: Schema<Nothing>?.none)
    package static let get = MessageType(
        "media.get", .query, of: .media, request: .json(EntityRequest.schema), status: 200, reply: Media.schema)
    package static let list = MessageType(
        "media.list", .query, of: .media, request: .json(ListRequest.schema), status: 200, reply: Media.pageSchema)
    package static let receipt = MessageType(
        "media.receipt", .query, of: .media, request: .json(EntityRequest.schema), status: 200,
        reply: Receipt.schema)

    static let all = [
        upload.descriptor, delete.descriptor, get.descriptor, list.descriptor, receipt.descriptor,
    ]
}
