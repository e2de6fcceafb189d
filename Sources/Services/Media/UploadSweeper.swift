internal import Contracts
internal import FoundationEssentials
internal import Logging
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Removes the images of abandoned uploads from Cloudinary: at its start, and then every 10 to 20 minutes.
///
/// An upload is abandoned if it has no media and its last attempt began more than an hour ago, because the retry
/// ladder takes only about six minutes. If an operator replays the dead letter of an abandoned upload, the upload
/// starts again.
@Loop final class UploadSweeper {
    /// An upload is abandoned if it has no media and its last attempt began longer ago than this.
    static let abandonedAfter: Duration = .seconds(3600)
    /// The time after which another sweeper may claim the same upload.
    static let claimLifetime: Duration = .seconds(600)
    private static let batch = 20
    private static let destroyTimeLimit: Duration = .seconds(5)

    private let job = PeriodicJob(every: .seconds(10 * 60) ... .seconds(20 * 60))
    private let database: PostgresPool
    private let cloudinary: CloudinaryClient
    private let log: Logger

    init(database: PostgresPool, cloudinary: CloudinaryClient, log: Logger) {
        self.database = database
        self.cloudinary = cloudinary
        self.log = log
    }

    /// Sweeps at once, because a worker may never run for as long as the pause, and then periodically, until the
    /// sweeper is closed or the task is cancelled.
    func run() async {
        job.nudge()
        await job.run(log: log, onFailure: "abandoned uploads could not be removed") { try await sweep() }
    }

    /// Ends ``run()`` after the current removal.
    func close() {
        job.close()
    }

    /// Removes all uploads that are abandoned now.
    ///
    /// - Parameters:
    ///   - age: an upload is abandoned if its last attempt began longer ago than this.
    ///   - claim: the time after which the claim of another sweeper expires.
    func sweep(
        olderThan age: Duration = UploadSweeper.abandonedAfter, claim: Duration = UploadSweeper.claimLifetime
    ) async throws {
        _ = try await database.query(MediaStatements.deleteFinishedUploads, Double(age.components.seconds))
        while !job.isClosed {
            let claimed = try await database.query(
                MediaStatements.claimAbandonedUploads, Double(age.components.seconds),
                Double(claim.components.seconds), Self.batch)
            var ids: [UUID] = []
            for row in claimed { ids.append(try row.get(0, as: UUID.self)) }
            for id in ids where !job.isClosed { try await remove(id) }
            guard ids.count == Self.batch else { return }
        }
    }

    /// Removes one image. If the removal fails, the claim stays until it expires, and a later sweep tries again.
    private func remove(_ id: UUID) async throws {
        do {
            try await cloudinary.destroy(id, until: .now + Self.destroyTimeLimit)
        } catch {
            log.warning(
                "an abandoned upload could not be removed", metadata: ["media": "\(id.text)", "error": "\(error)"])
            return
        }
        // The row is deleted last, because it prevents deliveries from uploading under this id during the removal.
        _ = try await database.query(MediaStatements.deleteClaimedUpload, id)
        log.info("an abandoned upload was removed", metadata: ["media": "\(id.text)"])
    }
}
