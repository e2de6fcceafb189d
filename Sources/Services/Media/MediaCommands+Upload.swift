internal import Contracts
internal import FoundationEssentials
internal import ImageHeaders
internal import Postgres
internal import Reactor
internal import WorkerKit

extension MediaCommands {
    /// Keeps a picture at Cloudinary and remembers whose it is.
    ///
    /// Whatever fails in between, an upload with an unknown outcome too, a later delivery does all of it once more under
    /// the same id; where none succeeds, ``UploadSweeper`` removes what may be at Cloudinary.
    func upload(_ file: [UInt8], _ context: HandlerContext) async throws -> Reply {
        let caller = try context.caller
        let image = try await check.header(of: file)
        let id = context.newID
        if let reply = try await begin(id, caller.id, context) { return reply }
        let url: String
        do {
            url = try await cloudinary.upload(
                file, id: id, type: image.format.contentType, until: .now + uploadPatience)
        } catch {
            guard error.kind != .badFile else {
                throw Problem(.unsupportedMediaType, detail: "The file is not a picture that can be read.")
            }
            throw told(error, context)
        }
        let media = Media(
            id: id, url: url, contentType: image.format.contentType, bytes: file.count, width: image.width,
            height: image.height, createdAt: .now())
        _ = try await context.transaction().send(
            MediaStatements.insert, id, caller.id, media.url, media.contentType, media.bytes, media.width,
            media.height, PostgresTimestamp(milliseconds: media.createdAt.milliseconds))
        context.emit(MediaUploaded(media: media, ownerId: caller.id))
        return .json(media.jsonBytes(), status: 201, location: "/v1/media/\(id.text)")
    }

    /// Notes, in a transaction of its own, that a picture may come to be at Cloudinary under this id.
    ///
    /// - Returns: the stored reply if an earlier delivery has carried out the upload.
    private func begin(_ id: UUID, _ owner: UUID, _ context: HandlerContext) async throws -> Reply? {
        // Before the look into the inbox: a delivery that is carried out in between is then found there.
        let hasBegun = try await !database.query(MediaStatements.beginUpload, id, owner).isEmpty
        // A delivery that comes again after its media was deleted must not bring the picture back.
        if let reply = try await context.storedReply() { return reply }
        guard !hasBegun else { return nil }
        guard try await database.query(MediaStatements.isSwept, id, owner).isEmpty else { throw BeingSwept() }
        // The same command once more, which the inbox has forgotten meanwhile: its picture is there.
        throw Problem(.idempotencyKeyReused)
    }
}

/// A sweeper removes right now what an earlier attempt may have left: a moment later it is done.
struct BeingSwept: Error {}
