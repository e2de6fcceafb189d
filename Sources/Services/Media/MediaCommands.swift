internal import Contracts
internal import FoundationEssentials
internal import Logging
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Uploads and deletes media: first at Cloudinary, then in the database. Changes their descriptions.
@Loop struct MediaCommands {
    let database: PostgresPool
    let cloudinary: CloudinaryClient
    let validator: ImageValidator
    let log: Logger
    /// The time limit for all calls to Cloudinary in one delivery of an upload. It is below the 30 s that the
    /// sender waits for the reply.
    var uploadTimeLimit: Duration = .seconds(20)
    /// The time limit for the calls to Cloudinary that delete an image. With ``removalTimeLimit`` it is below the 5 s
    /// that the sender waits for the reply.
    var deleteTimeLimit: Duration = .milliseconds(3500)

    /// Changes the description of a media item of the caller.
    func update(_ command: UpdateMedia, _ context: HandlerContext) async throws -> Reply {
        let caller = try context.caller
        try await requireVersion(command.ifMatch, of: command.id, owner: caller.id, context)
        let rows = try await context.transaction().query(
            MediaStatements.update, command.id, caller.id, MediaDescription.visible(command.description),
            Timestamp.ordered())
        guard let row = rows.first else { throw Problem(.mediaNotFound) }
        let media = try Media(row)
        context.emit(
            MediaUpdated(
                id: media.id, ownerId: caller.id, description: media.description,
                updatedAt: try row.get(8, as: Timestamp.self)))
        let body = media.jsonBytes()
        return .json(body, etag: EntityTag.of(body))
    }

    /// Deletes a media item of the caller.
    func delete(_ command: DeleteRequest, _ context: HandlerContext) async throws -> Reply {
        let caller = try context.caller
        let owned = database.send(MediaStatements.owned, [command.id], caller.id)
        if let reply = try await context.storedReply() { return reply }
        guard try await owned.rows().count > 0 else { throw Problem(.mediaNotFound) }
        try await requireVersion(command.ifMatch, of: command.id, owner: caller.id, context)
        do {
            try await cloudinary.destroy(command.id, until: .now + deleteTimeLimit)
        } catch {
            throw commandError(for: error, context)
        }
        try await deleteRow(command.id, owner: caller.id, context)
        return .noContent
    }

    /// Locks the row of a media item until the end of the transaction, so that its description cannot change before
    /// the command has taken effect.
    ///
    /// - Parameter tags: the entity tags of which the media item must have one; `nil` if it may have any, and then the
    ///   row is not locked.
    private func requireVersion(
        _ tags: [String]?, of id: UUID, owner: UUID, _ context: HandlerContext
    ) async throws {
        guard let tags else { return }
        let rows = try await context.transaction().query(MediaStatements.locked, id, owner)
        guard let row = rows.first else { throw Problem(.mediaNotFound) }
        guard tags.contains(EntityTag.of(try Media(row).jsonBytes())) else { throw Problem(.preconditionFailed) }
    }

    /// Deletes the media in a deleted post that belong to the post's author.
    ///
    /// Each media item is deleted in its own transaction. If a deletion fails, the others take effect
    /// nevertheless, and the next delivery retries only the failed one.
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
                    try await deleteRow(id, owner: author, context)
                    // Commits now, so that no transaction stays open during the remaining calls to Cloudinary.
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
            try await cloudinary.destroy(id, until: .now + deleteTimeLimit)
            return (id, nil)
        } catch {
            return (id, error)
        }
    }

    private func deleteRow(_ id: UUID, owner: UUID, _ context: HandlerContext) async throws {
        try await context.transaction().send(MediaStatements.delete, id, owner)
        context.emit(MediaDeleted(id: id, ownerId: owner))
    }

    /// Returns the error that a command throws after a failed call to Cloudinary.
    ///
    /// If the failure is permanent and the sender still waits, the error is a 503, because the sender can try
    /// again. Otherwise it is the failure itself: the command has been accepted and must not be dropped, so it is
    /// retried with the delays of the retry ladder and then becomes a dead letter.
    func commandError(for error: CloudinaryError, _ context: HandlerContext) -> any Error {
        guard !error.isTransient, context.message.hasWaitingSender else { return error }
        context.log.error("the media host refused a call", metadata: ["error": "\(error)"])
        return Problem(.unavailable, detail: "The media host currently refuses requests.", retryAfter: 60)
    }
}

extension IncomingMessage {
    /// Whether the sender still waits for the reply: this is the first delivery, and the deadline is more than 1 s
    /// away.
    fileprivate var hasWaitingSender: Bool {
        guard replyTo != nil, failures == 0, let deadline else { return false }
        return deadline > .now().advanced(by: .seconds(1))
    }
}
