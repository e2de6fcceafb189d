package import Logging
package import Postgres
internal import Reactor
package import WorkerKit

extension Handler {
    /// Carries a message out, commits and settles, as it is done with a delivery.
    ///
    /// - Throws: what a delivery would be retried or dead-lettered for.
    @Loop package func answer(to message: IncomingMessage, in pool: PostgresPool, log: Logger) async throws -> Reply? {
        switch await carryOut(message, in: pool, log: log) {
        case .reply(let reply): return reply
        case .done: return nil
        case .failed(let error): throw error
        case .impossible(let reason): throw Undecodable(reason: reason)
        }
    }
}
