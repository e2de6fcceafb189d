internal import Contracts
internal import FoundationEssentials
internal import ImageHeaders
internal import Postgres
internal import Reactor
internal import WorkerKit

extension MediaCommands {
    /// Uploads an image to Cloudinary and records it as the caller's.
    ///
    /// If a step fails transiently or its outcome is unknown, the next delivery repeats all steps under the same id.
    /// If no delivery succeeds, ``UploadSweeper`` removes the image from Cloudinary.
    func upload(_ file: [UInt8], _ context: HandlerContext) async throws -> Reply {
        let caller = try context.caller
        let description = try context.message.description.flatMap { text throws(Problem) in
            try MediaDescription.parse(text)
        }
        let image = try await validator.image(in: file)
        let id = await context.message.newIDOfContent()
        if let reply = try await beginUpload(id, caller.id, context) { return reply }
        let stored: CloudinaryClient.StoredImage
        do {
            stored = try await cloudinary.upload(
                image.file, id: id, type: image.header.format.contentType, until: .now + uploadTimeLimit)
        } catch {
            guard error.code != .invalidFile else {
                throw Problem(.unsupportedMediaType, detail: "The image cannot be decoded.")
            }
            throw commandError(for: error, context)
        }
        let media = Media(
            id: id, url: stored.url, contentType: image.header.format.contentType, bytes: image.file.count,
            width: image.header.width, height: image.header.height, createdAt: .ordered(), description: description)
        _ = try await context.transaction().send(
            MediaStatements.insert, id, caller.id, media.url, media.contentType, media.bytes, media.width,
            media.height, media.createdAt, media.description, stored.attempts > 1)
        context.emit(MediaUploaded(media: media, ownerId: caller.id))
        return .json(media.jsonBytes(), status: 201, location: "/v1/media/\(id.text)")
    }

    /// Inserts or renews the upload's row and commits it before this delivery calls Cloudinary, so that
    /// ``UploadSweeper`` finds the image if the upload is abandoned.
    ///
    /// - Returns: the stored reply if an earlier delivery has carried out the upload; otherwise `nil`.
    private func beginUpload(_ id: UUID, _ owner: UUID, _ context: HandlerContext) async throws -> Reply? {
        // This statement runs before the inbox is read. If it returns no row because an earlier delivery has
        // committed, the inbox already has the reply of that delivery.
        let hasBegun = try await !database.query(MediaStatements.beginUpload, id, owner).isEmpty
        // Without this check, a redelivery after the deletion of the media would upload the image again.
        if let reply = try await context.storedReply() { return reply }
        guard !hasBegun else { return nil }
        guard try await database.query(MediaStatements.claimedUpload, id, owner).isEmpty else {
            throw UploadError(.removalInProgress, "a sweeper is removing the image of an earlier attempt")
        }
        // The media exists although the inbox has no reply: the inbox row of an earlier delivery was swept.
        throw Problem(.idempotencyKeyReused)
    }
}

/// A failure of an upload before Cloudinary is called.
struct UploadError: CodedError {
    let code: ErrorCode<UploadError>
    let message: String
    let location: ErrorLocation

    var isTransient: Bool { true }

    init(
        _ code: ErrorCode<UploadError>, _ message: String, fileID: StaticString = #fileID, line: UInt = #line
    ) {
        self.code = code
        self.message = message
        location = ErrorLocation(fileID: fileID, line: line)
    }
}

extension ErrorCode where Failure == UploadError {
    /// A sweeper has claimed the upload, because an earlier attempt may have left an image. The removal usually ends
    /// within seconds. If it fails, the claim stays until a later sweep removes the image.
    static var removalInProgress: Self { Self("removal-in-progress") }
}
