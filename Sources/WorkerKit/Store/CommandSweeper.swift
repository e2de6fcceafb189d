internal import Logging
internal import Postgres
internal import Reactor

/// Deletes the rows of commands that were carried out, refused or given up long ago.
///
/// A command that is sent or redelivered again after its row was deleted is carried out again.
@Loop final class CommandSweeper {
    private let job: PeriodicJob
    private let pool: PostgresPool
    private let retention: Duration
    private let log: Logger

    /// Makes a sweeper. It sweeps about 24 times in each retention time, and at least every 90 minutes.
    ///
    /// - Parameter retention: the age at which rows are deleted.
    init(pool: PostgresPool, retention: Duration, log: Logger) {
        job = PeriodicJob(every: min(retention / 48, .seconds(1_800))...min(retention / 16, .seconds(5_400)))
        self.pool = pool
        self.retention = retention
        self.log = log
    }

    func run() async {
        await job.run(log: log, onFailure: "the rows of old commands were not deleted") { try await sweep() }
    }

    func close() {
        job.close()
    }

    /// Deletes all old rows.
    func sweep() async throws {
        while try await Inbox.sweep(olderThan: retention, in: pool), !job.isClosed {}
        while try await FailedCommands.sweep(olderThan: retention, in: pool), !job.isClosed {}
    }
}
