internal import Contracts
internal import FoundationEssentials
internal import Logging
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Several deliveries of one upload can run at the same time, for example after the connection of the worker that has
/// the first one was cut. The delivery that ends first decides the reply. The client can then delete the image while
/// another delivery still sends it to Cloudinary. Therefore these functions run after each upload and each deletion:
/// whichever ends last finds the image that is left, and removes it. If Cloudinary carries out a timed-out attempt
/// after that, ``UploadSweeper`` removes the image.
extension MediaCommands {
    /// The maximum time by which the removal of leftovers delays the reply.
    static let removalTimeLimit: Duration = .seconds(1)

    /// Call this when the inbox has a reply to the upload, from this or another delivery.
    func removeLeftovers(ofUpload message: IncomingMessage) async {
        guard let caller = message.caller else { return }
        // Another message with the same id may have been carried out, which is a repetition by the client. Then no
        // media item is ever created under the id of this message.
        await removeLeftovers([await message.newIDOfContent()], owner: caller.id, includesUnfinished: true)
    }

    /// Call this after the media item was deleted.
    func removeLeftovers(ofDeletion message: IncomingMessage) async {
        guard let caller = message.caller, let body = try? Messages.Media.delete.request.decode(message.body) else {
            return
        }
        await removeLeftovers([body.id], owner: caller.id)
    }

    /// Call this after the media items of the deleted post were deleted.
    func removeLeftovers(ofDeletedPost message: IncomingMessage) async {
        guard let post = try? EventEnvelope.decode(message.body).decode(PostDeleted.self).data else { return }
        await removeLeftovers(post.mediaIds, owner: post.authorId)
    }

    /// If the removal fails or takes too long, ``UploadSweeper`` repeats it. It also deletes the rows.
    private func removeLeftovers(_ ids: [UUID], owner: UUID, includesUnfinished: Bool = false) async {
        guard !ids.isEmpty else { return }
        let deadline = ContinuousClock.now + Self.removalTimeLimit
        do {
            let query = database.send(MediaStatements.leftovers, ids, owner, includesUnfinished)
            guard let rows = try await query.rows(awaitedUntil: deadline) else {
                return log.notice("leftover images are removed later, because the database has not answered in time")
            }
            let leftovers = try rows.map { try $0.get(0, as: UUID.self) }
            await withDiscardingTaskGroup { group in
                for id in leftovers { group.addTask { await remove(id, until: deadline) } }
            }
        } catch {
            log.warning("leftover images not looked for", metadata: ["error": "\(error)"])
        }
    }

    private func remove(_ id: UUID, until deadline: ContinuousClock.Instant) async {
        do {
            try await cloudinary.destroy(id, until: deadline)
        } catch {
            log.warning(
                "an image may be left at the media host", metadata: ["id": "\(id.text)", "error": "\(error)"])
        }
    }
}
