internal import Contracts
internal import FoundationEssentials
internal import Logging
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Uploads and deletes media: in Cloudinary first, then in the database.
@Loop struct MediaCommands {
    let database: PostgresPool
    let cloudinary: CloudinaryClient
    let check: PictureCheck
    /// How long Cloudinary is asked again before the message is put off. An upload's sender waits 30 s, a deletion's 5.
    var uploadPatience: Duration = .seconds(20)
    var deletePatience: Duration = .seconds(4)

    func delete(_ command: EntityRequest, _ context: HandlerContext) async throws -> Reply {
        let caller = try context.caller
        let owned = database.send(MediaStatements.owned, [command.id], caller.id)
        if let reply = try await context.storedReply() { return reply }
        guard try await owned.rows().count > 0 else { throw Problem(.mediaNotFound) }
        do {
            try await cloudinary.destroy(command.id, until: .now + deletePatience)
        } catch {
            throw told(error, context)
        }
        try await forget(command.id, owner: caller.id, context)
        return .noContent
    }

    /// Deletes the media of a deleted post, as far as they belong to its author.
    ///
    /// Each for itself: one that cannot be deleted now holds up no other, and is all that the next delivery finds.
    func postDeleted(_ event: CloudEvent<PostDeleted>, _ context: HandlerContext) async throws {
        guard !event.data.mediaIds.isEmpty else { return }
        let author = event.data.authorId
        let owned = try await database.query(MediaStatements.owned, event.data.mediaIds, author)
        var ids: [UUID] = []
        for row in owned { ids.append(try row.get(0, as: UUID.self)) }
        var failure: (any Error)?
        await withTaskGroup(of: (id: UUID, error: CloudinaryError?).self) { group in
            for id in ids { group.addTask { await destroy(id) } }
            for await (id, error) in group {
                if let error {
                    failure = error
                    continue
                }
                do {
                    try await forget(id, owner: author, context)
                    // No transaction is open while Cloudinary is asked for the others: it may take its time.
                    try await context.checkpoint()
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
    }

    private func destroy(_ id: UUID) async -> (id: UUID, error: CloudinaryError?) {
        do throws(CloudinaryError) {
            try await cloudinary.destroy(id, until: .now + deletePatience)
            return (id, nil)
        } catch {
            return (id, error)
        }
    }

    private func forget(_ id: UUID, owner: UUID, _ context: HandlerContext) async throws {
        try await context.transaction().send(MediaStatements.delete, id, owner)
        context.emit(MediaDeleted(id: id, ownerId: owner))
    }

    /// What a failure at Cloudinary means for a command.
    ///
    /// One that no retry mends is told to the sender who waits, who may try again. Where nobody waits the command has been
    /// accepted and must not be dropped: it is put off, and in the end an operator finds it among the dead letters.
    func told(_ error: CloudinaryError, _ context: HandlerContext) -> any Error {
        guard error.kind != .passing, context.message.isAwaited else { return error }
        context.log.error("the media host refuses calls", metadata: ["error": "\(error)"])
        return Problem(.unavailable, detail: "The media host refuses calls at the moment.", retryAfter: 60)
    }
}

extension IncomingMessage {
    /// Whether its sender surely still waits for the reply.
    fileprivate var isAwaited: Bool {
        guard replyTo != nil, attempt == 0, let deadline else { return false }
        return deadline > .now().advanced(by: .seconds(1))
    }
}
