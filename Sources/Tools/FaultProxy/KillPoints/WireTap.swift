internal import Synchronization

/// Two proxies, between one worker and its broker and its PostgreSQL, that recognize when the worker reaches a kill
/// point.
///
/// From that moment on, nothing that the worker, the broker or PostgreSQL sends is forwarded, so that the worker can
/// do nothing more. Pass the two ports to the worker in its settings, and kill it when the kill point is reached.
///
/// Connections must not be encrypted.
package final class WireTap: Sendable {
    private let broker: FaultProxy
    private let database: FaultProxy
    private let shared: Shared

    /// The state that all connections share.
    private final class Shared: Sendable {
        let progress: Mutex<KillPointProgress>
        /// Whether the bytes up to the kill point were forwarded.
        let isReached = Atomic(false)
        private let onReached: @Sendable () -> Void

        init(_ progress: KillPointProgress, _ onReached: @escaping @Sendable () -> Void) {
            self.progress = Mutex(progress)
            self.onReached = onReached
        }

        func reach() {
            isReached.store(true, ordering: .releasing)
            onReached()
        }
    }

    private final class Inspector<Connection: TappedConnection>: ConnectionInspector {
        private let connection = Mutex(Connection())
        private let shared: Shared

        init(_ shared: Shared) {
            self.shared = shared
        }

        func inspect(_ bytes: [UInt8], from peer: Peer) -> Inspection {
            let result = shared.progress.withLock { progress in
                connection.withLock { $0.receive(bytes, from: peer, &progress) }
            }
            var inspection = Inspection(forwarded: result.forwarded)
            if result.isReached { inspection.completion = { [shared] in shared.reach() } }
            return inspection
        }
    }

    /// Starts the proxies.
    ///
    /// - Parameters:
    ///   - point: the kill point.
    ///   - messageType: the type of the commands that count, for example `post.create`; `nil` if all requests count,
    ///     also queries. The later kill points count from the delivery of such a command.
    ///   - broker: the broker's port on 127.0.0.1.
    ///   - database: PostgreSQL's port on 127.0.0.1.
    ///   - onReached: called at most once, on a thread of a proxy. It may kill the worker.
    /// - Throws: `POSIXError` if the kernel has no sockets.
    package init(
        _ point: KillPoint, of messageType: String?, broker: Int, database: Int,
        onReached: @escaping @Sendable () -> Void
    ) throws {
        let shared = Shared(KillPointProgress(point: point, messageType: messageType), onReached)
        self.shared = shared
        self.broker = try FaultProxy(to: broker) { Inspector<BrokerConnection>(shared) }
        do {
            self.database = try FaultProxy(to: database) { Inspector<DatabaseConnection>(shared) }
        } catch {
            self.broker.stop()
            throw error
        }
    }

    /// The port on 127.0.0.1 to which the worker connects instead of the broker's.
    package var brokerPort: Int { broker.port }

    /// The port on 127.0.0.1 to which the worker connects instead of PostgreSQL's.
    package var databasePort: Int { database.port }

    /// Whether the worker has reached the kill point, and all bytes before it were sent to their peer. If the
    /// connection ends before they were sent, this stays `false`, and nothing more is forwarded.
    package var isReached: Bool { shared.isReached.load(ordering: .acquiring) }

    /// Closes all connections and stops listening. Do not call this from `onReached`, because it waits for the threads
    /// of the proxies.
    package func stop() {
        broker.stop()
        database.stop()
    }
}
