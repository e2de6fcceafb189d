internal import Contracts
internal import Logging
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Deletes expired refresh tokens and families now and then, a bounded number at a time.
@Loop final class TokenSweeper {
    private static let batch = 1000

    private let job = PeriodicJob(every: .seconds(30 * 60) ... .seconds(90 * 60))
    private let database: PostgresPool
    private let log: Logger

    init(database: PostgresPool, log: Logger) {
        self.database = database
        self.log = log
    }

    func run() async {
        await job.run {
            do {
                try await sweep(at: .now())
            } catch {
                log.warning("expired refresh tokens stay for now", metadata: ["error": "\(error)"])
            }
        }
    }

    func close() {
        job.close()
    }

    /// Deletes all that has expired by a time.
    func sweep(at now: Timestamp) async throws {
        // Tokens first: a family then takes few of its own with it.
        for statement in [IdentityStatements.sweepTokens, IdentityStatements.sweepFamilies] {
            while try await database.query(statement, now.stored, Self.batch).affected == Self.batch, !job.isClosed {}
        }
    }
}
