internal import Contracts
internal import FoundationEssentials
internal import Logging
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Removes the images of abandoned uploads from Cloudinary every 10 to 20 minutes.
///
/// The retry ladder takes about six minutes, so an upload whose last attempt began much earlier and that has
/// no media is abandoned. An operator who replays its dead letter starts it again.
@Loop final class UploadSweeper {
    /// An upload is abandoned if its last attempt began this long ago.
    static let abandonedAfter: Duration = .seconds(3600)
    /// Another sweeper may take over a claim that is this old.
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

    /// Sweeps periodically until the sweeper is closed or the task is cancelled.
    func run() async {
        await job.run(log: log, onFailure: "abandoned uploads could not be removed") { try await sweep() }
    }

    /// Ends ``run()`` after the current upload.
    func close() {
        job.close()
    }

    /// Removes all uploads that are abandoned now.
    ///
    /// - Parameters:
    ///   - age: the time since the last attempt began after which an upload is abandoned.
    ///   - claim: the time after which another sweeper's claim has expired.
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

    /// Removes one image. If that fails, the claim stays until it expires and a later sweep retries.
    private func remove(_ id: UUID) async throws {
        do {
            try await cloudinary.destroy(id, until: .now + Self.destroyTimeLimit)
        } catch {
            log.warning(
                "abandoned upload could not be removed", metadata: ["media": "\(id.text)", "error": "\(error)"])
            return
        }
        // Last, because the row keeps other deliveries from uploading under this id.
        _ = try await database.query(MediaStatements.deleteClaimedUpload, id)
        log.info("abandoned upload removed", metadata: ["media": "\(id.text)"])
    }
}
