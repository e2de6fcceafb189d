import FaultProxy
import Glibc
import LocalStack
import Reactor
import Synchronization

/// A post worker that is killed whenever it sends a certain text to PostgreSQL, as if its handler had crashed, and is
/// started again afterwards, as a supervisor does.
@Loop final class CrashingWorker {
    /// How often the worker was killed because of the text.
    private(set) var crashes = 0
    private let testbed: Testbed
    private let text: [UInt8]
    private let program: Program
    private var current: ChildProcess?
    private var isStopping = false

    /// Kills the worker before PostgreSQL receives the text, which may arrive in several parts.
    private final class Inspector: ConnectionInspector {
        private let text: [UInt8]
        private let deferredKill: DeferredKill
        private let rest = Mutex<[UInt8]>([])

        init(_ text: [UInt8], _ deferredKill: DeferredKill) {
            self.text = text
            self.deferredKill = deferredKill
        }

        func inspect(_ bytes: [UInt8], from peer: Peer) -> Inspection {
            guard peer == .client else { return Inspection(forwarded: bytes) }
            let isFound = rest.withLock { rest in
                rest += bytes
                let isFound = rest.firstRange(of: text) != nil
                rest = rest.suffix(text.count)
                return isFound
            }
            guard isFound else { return Inspection(forwarded: bytes) }
            deferredKill.kill()
            return Inspection(forwarded: [])
        }
    }

    /// - Throws: an error if no ordinary post worker runs, whose settings this worker gets.
    init(_ testbed: Testbed, _ text: String) throws {
        self.testbed = testbed
        self.text = Array(text.utf8)
        program = try testbed.stack.program(of: "post-1")
    }

    /// Runs the worker, and starts it again whenever it ends, until ``stop()`` is called.
    func run() async throws {
        while !isStopping {
            let deferredKill = DeferredKill()
            let text = text
            let proxy = try FaultProxy(to: testbed.addresses.postgres) { Inspector(text, deferredKill) }
            defer { proxy.stop() }
            var program = program
            program.environment["WARREN_DATABASE_URL_FILE"] = nil
            program.environment["WARREN_DATABASE_URL"] = try testbed.addressOf("post-database.url", port: proxy.port)
            let process = try program.start(errors: "\(testbed.stack.state)/log/post-chaos.log")
            current = process
            deferredKill.set(process.pid)
            let status = try await process.waitForExit(within: .seconds(600))
            process.removeFiles()
            if deferredKill.wasKilled { crashes += 1 }
            guard deferredKill.wasKilled || isStopping else {
                throw ChaosError("a post worker ended with status \(status)")
            }
        }
    }

    func stop() {
        isStopping = true
        current?.send(SIGTERM)
    }
}
