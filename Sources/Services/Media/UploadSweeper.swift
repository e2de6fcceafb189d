internal import Contracts
internal import FoundationEssentials
internal import Logging
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Removes from the media host what uploads have left there that never succeeded.
///
/// A command is tried for some six minutes, so an upload that began long before that and still has no media is given up; an
/// operator who replays it from the dead letters begins it anew.
@Loop final class UploadSweeper {
    /// How long after its last attempt an upload is given up.
    static let abandonment: Duration = .seconds(3600)
    /// After so long another sweeper takes over what one has begun and not finished.
    static let claim: Duration = .seconds(600)
    private static let batch = 20
    private static let patience: Duration = .seconds(5)

    private let job = PeriodicJob(every: .seconds(10 * 60) ... .seconds(20 * 60))
    private let database: PostgresPool
    private let cloudinary: CloudinaryClient
    private let log: Logger

    init(database: PostgresPool, cloudinary: CloudinaryClient, log: Logger) {
        self.database = database
        self.cloudinary = cloudinary
        self.log = log
    }

    func run() async {
        await job.run {
            do {
                try await sweep()
            } catch {
                log.warning("abandoned uploads stay for now", metadata: ["error": "\(error)"])
            }
        }
    }

    func close() {
        job.close()
    }

    /// Removes all that has been given up by now.
    ///
    /// - Parameters:
    ///   - age: how long ago the last attempt began.
    ///   - claim: how long another sweeper's claim counts.
    func sweep(olderThan age: Duration = UploadSweeper.abandonment, claim: Duration = UploadSweeper.claim) async throws
    {
        _ = try await database.query(MediaStatements.forgetDone, Double(age.components.seconds))
        while !job.isClosed {
            let claimed = try await database.query(
                MediaStatements.claimAbandoned, Double(age.components.seconds), Double(claim.components.seconds),
                Self.batch)
            var ids: [UUID] = []
            for row in claimed { ids.append(try row.get(0, as: UUID.self)) }
            for id in ids where !job.isClosed { try await remove(id) }
            guard ids.count == Self.batch else { return }
        }
    }

    /// Removes one picture; where that fails its claim stays, and a later sweep tries again.
    private func remove(_ id: UUID) async throws {
        do {
            try await cloudinary.destroy(id, until: .now + Self.patience)
        } catch {
            log.warning("an abandoned upload stays for now", metadata: ["media": "\(id.text)", "error": "\(error)"])
            return
        }
        // It held the place of a row of media: nobody else writes under that id until this is done.
        _ = try await database.query(MediaStatements.forgetUpload, id)
        log.info("an abandoned upload is removed", metadata: ["media": "\(id.text)"])
    }
}
