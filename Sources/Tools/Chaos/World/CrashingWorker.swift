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
    private let world: World
    private let text: [UInt8]
    private let program: Program
    private var current: ChildProcess?
    private var isStopping = false

    /// Kills the worker before PostgreSQL receives the text, which may arrive in several parts.
    private final class Inspector: ConnectionInspector {
        private let text: [UInt8]
        private let victim: Victim
        private let rest = Mutex<[UInt8]>([])

        init(_ text: [UInt8], _ victim: Victim) {
            self.text = text
            self.victim = victim
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
            victim.kill()
            return Inspection(forwarded: [])
        }
    }

    /// - Throws: an error if no ordinary post worker runs, whose settings this worker gets.
    init(_ world: World, _ text: String) throws {
        self.world = world
        self.text = Array(text.utf8)
        program = try world.stack.program(of: "post-1")
    }

    /// Runs the worker, and starts it again whenever it ends, until ``stop()`` is called.
    func run() async throws {
        while !isStopping {
            let victim = Victim()
            let text = text
            let proxy = try FaultProxy(to: world.addresses.postgres) { Inspector(text, victim) }
            defer { proxy.stop() }
            var program = program
            program.environment["WARREN_DATABASE_URL_FILE"] = nil
            program.environment["WARREN_DATABASE_URL"] = try world.addressOf("post-database.url", port: proxy.port)
            let process = try program.start()
            current = process
            victim.set(process.pid)
            let status = try await process.waitForExit(within: .seconds(600))
            process.removeFiles()
            if victim.wasKilled { crashes += 1 }
            guard victim.wasKilled || isStopping else {
                throw ChaosError("a post worker ended with status \(status)")
            }
        }
    }

    func stop() {
        isStopping = true
        current?.send(SIGTERM)
    }
}
