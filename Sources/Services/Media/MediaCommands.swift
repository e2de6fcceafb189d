internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Uploads and deletes media: in Cloudinary first, then in the database.
@Loop struct MediaCommands {
    let database: PostgresPool
    let cloudinary: CloudinaryClient

    func upload(_ file: [UInt8], _ context: HandlerContext) async throws -> Reply {
        let caller = try context.caller
        guard let type = ImageType(file) else {
            throw Problem(.unsupportedMediaType, detail: "The file is no JPEG, PNG, GIF or WebP.")
        }
        let id = context.newID
        // Before the look into the inbox: a delivery that is carried out in between is then found there.
        let isTaken = try await !database.query(MediaStatements.exists, id).isEmpty
        // A delivery that comes again after its media was deleted must not bring the picture back.
        try await context.stopIfRepeated()
        // The id comes from the message's, which an integrator chooses: it must not overwrite another's picture.
        guard !isTaken else { throw Problem(.idempotencyKeyReused) }
        let asset = try await store(file, id, type)
        let media = Media(
            id: id, url: asset.url, contentType: type.rawValue, bytes: file.count, width: asset.width,
            height: asset.height, createdAt: .now())
        _ = try await context.transaction().send(
            MediaStatements.insert, id, caller.id, media.url, media.contentType, media.bytes, media.width,
            media.height, PostgresTimestamp(milliseconds: media.createdAt.milliseconds))
        context.emit(MediaUploaded(media: media, ownerId: caller.id))
        return .json(media.jsonBytes(), status: 201, location: "/v1/media/\(id.text)")
    }

    func delete(_ command: EntityRequest, _ context: HandlerContext) async throws -> Reply {
        let caller = try context.caller
        let owned = database.send(MediaStatements.owned, [command.id], caller.id)
        try await context.stopIfRepeated()
        guard try await owned.rows().count > 0 else { throw Problem(.mediaNotFound) }
        try await cloudinary.destroy(command.id)
        try await forget(command.id, owner: caller.id, context)
        return .noContent
    }

    /// Deletes the media of a deleted post, as far as they belong to its author.
    func postDeleted(_ event: CloudEvent<PostDeleted>, _ context: HandlerContext) async throws {
        guard !event.data.mediaIds.isEmpty else { return }
        let owned = try await database.query(MediaStatements.owned, event.data.mediaIds, event.data.authorId)
        var ids: [UUID] = []
        for row in owned { ids.append(try row.get(0, as: UUID.self)) }
        // No transaction is open while Cloudinary is asked: it may take its time.
        for id in ids { try await cloudinary.destroy(id) }
        for id in ids { try await forget(id, owner: event.data.authorId, context) }
    }

    private func forget(_ id: UUID, owner: UUID, _ context: HandlerContext) async throws {
        try await context.transaction().send(MediaStatements.delete, id, owner)
        context.emit(MediaDeleted(id: id, ownerId: owner))
    }

    private func store(_ file: [UInt8], _ id: UUID, _ type: ImageType) async throws -> CloudinaryClient.Asset {
        do {
            return try await cloudinary.upload(file, id: id, type: type)
        } catch {
            guard error.kind == .badFile else { throw error }
            throw Problem(.unsupportedMediaType, detail: "The file is not a picture that can be read.")
        }
    }
}
