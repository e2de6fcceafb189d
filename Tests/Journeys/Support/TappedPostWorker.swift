import FaultProxy
import Foundation
import Glibc
import LocalStack
import Reactor
import Synchronization
import TestSupport
import Testing

/// Another post worker, whose connections to the broker and to PostgreSQL go through a tap.
@Loop final class TappedPostWorker {
    let tap: WireTap
    private let process: ChildProcess
    private let reached: Counter
    private var isRunning = true

    private final class Counter: Sendable {
        let value = Mutex(0)
    }

    private init(_ tap: WireTap, _ process: ChildProcess, _ reached: Counter) {
        (self.tap, self.process, self.reached) = (tap, process, reached)
    }

    /// Starts the worker and waits until it is ready.
    static func start(_ stack: Stack, _ point: KillPoint) async throws -> TappedPostWorker {
        var broker = try #require(URLComponents(string: stack.secret("post-amqp.url")))
        var database = try #require(URLComponents(string: stack.secret("post-database.url")))
        let reached = Counter()
        let tap = try WireTap(
            point, of: "post.create", broker: #require(broker.port), database: #require(database.port),
            onReached: { reached.value.withLock { $0 += 1 } })
        (broker.port, database.port) = (tap.brokerPort, tap.databasePort)
        do {
            let process = try await stack.startReadyWorker(
                "post",
                [
                    "WARREN_AMQP_URL": #require(broker.string), "WARREN_AMQP_URL_FILE": "",
                    "WARREN_DATABASE_URL": #require(database.string), "WARREN_DATABASE_URL_FILE": "",
                ])
            return TappedPostWorker(tap, process, reached)
        } catch {
            tap.stop()
            throw error
        }
    }

    /// How often the tap has reported that the kill point is reached.
    var reachedCount: Int { reached.value.withLock { $0 } }

    /// Kills the worker with SIGKILL and waits for its end.
    func kill() async throws {
        process.send(SIGKILL)
        isRunning = false
        #expect(try await process.waitForExit(within: .seconds(5)) == 128 + SIGKILL)
    }

    /// Kills the worker if it runs, and closes the tap's connections.
    func end() async {
        if isRunning { _ = await outcome { try await kill() } }
        tap.stop()
        process.removeFiles()
    }
}
