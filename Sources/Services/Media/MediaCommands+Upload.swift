internal import Contracts
internal import FoundationEssentials
internal import ImageHeaders
internal import Postgres
internal import Reactor
internal import WorkerKit

extension MediaCommands {
    /// Uploads an image to Cloudinary and records it as the caller's.
    ///
    /// If any step fails, or its outcome is unknown, the next delivery repeats all steps under the same id.
    /// If no delivery succeeds, ``UploadSweeper`` removes the image from Cloudinary.
    func upload(_ file: [UInt8], _ context: HandlerContext) async throws -> Reply {
        let caller = try context.caller
        let image = try await validator.header(of: file)
        let id = context.newID
        if let reply = try await beginUpload(id, caller.id, context) { return reply }
        let url: String
        do {
            url = try await cloudinary.upload(
                file, id: id, type: image.format.contentType, until: .now + uploadTimeLimit)
        } catch {
            guard error.code != .invalidFile else {
                throw Problem(.unsupportedMediaType, detail: "The image cannot be decoded.")
            }
            throw refusal(for: error, context)
        }
        let media = Media(
            id: id, url: url, contentType: image.format.contentType, bytes: file.count, width: image.width,
            height: image.height, createdAt: .now())
        _ = try await context.transaction().send(
            MediaStatements.insert, id, caller.id, media.url, media.contentType, media.bytes, media.width,
            media.height, media.createdAt)
        context.emit(MediaUploaded(media: media, ownerId: caller.id))
        return .json(media.jsonBytes(), status: 201, location: "/v1/media/\(id.text)")
    }

    /// Inserts or renews the upload's row, in its own transaction, before the image can exist at Cloudinary.
    ///
    /// - Returns: the stored reply if an earlier delivery has carried out the upload.
    private func beginUpload(_ id: UUID, _ owner: UUID, _ context: HandlerContext) async throws -> Reply? {
        // Before the inbox is checked, so that the check finds a delivery that commits in between.
        let hasBegun = try await !database.query(MediaStatements.beginUpload, id, owner).isEmpty
        // A redelivery after the media was deleted must not upload the image again.
        if let reply = try await context.storedReply() { return reply }
        guard !hasBegun else { return nil }
        guard try await database.query(MediaStatements.uploadInRemoval, id, owner).isEmpty else {
            throw UploadError(.removalInProgress, "a sweeper is removing the image of an earlier attempt")
        }
        // A redelivery whose inbox row has been swept: its media exists.
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
    /// A sweeper is removing the image that an earlier attempt may have left; it finishes within seconds.
    static var removalInProgress: Self { Self("removalInProgress") }
}
