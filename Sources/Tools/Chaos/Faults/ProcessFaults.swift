import ChaosKit
import Contracts
import Glibc
import LocalStack
import Reactor

/// Faults of Warren's own processes.
enum ProcessFaults {
    static let all = [killedWorker, killedIngress, terminated]

    private static let killedWorker = Fault(
        name: "worker-killed", summary: "kill -9 of a worker of each service, one after the other",
        targets: [.workers], affected: [.identity]
    ) { world, run in
        run.begin()
        for worker in Stack.workers {
            try await world.kill("\(worker)-1")
            try await world.sleep(seconds: 0.5...2)
            try await world.stack.scale(worker, World.workers)
        }
        run.end()
    }

    private static let killedIngress = Fault(
        name: "ingress-killed", summary: "kill -9 of one of two ingresses", targets: [.ingress],
        affected: Fault.everything
    ) { world, run in
        run.begin()
        try await world.kill("ingress-1")
        try await world.sleep(seconds: 1...3)
        try await world.stack.scale("ingress", 1)
        run.end()
    }

    /// Each daemon is stopped under load while another one of its kind runs. No request may fail.
    private static let terminated = Fault(
        name: "daemon-terminated", summary: "SIGTERM to one daemon of each kind, while another one runs",
        targets: [.workers, .ingress]
    ) { world, run in
        run.begin()
        for daemon in Stack.daemons {
            let pid = try world.stack.pid("\(daemon)-1")
            let sent = ContinuousClock.now
            try await world.stack.kill("\(daemon)-1", with: SIGTERM)
            run.require(
                .now - sent < .seconds(30), "\(daemon)-1 (pid \(pid)) did not stop within 30 s of SIGTERM")
            try await world.stack.scale(daemon, daemon == "ingress" ? 1 : World.workers)
        }
        run.end()
    }
}
