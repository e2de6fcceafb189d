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
        targets: [.workers], needs: [.broker, .postgres]
    ) { world, run in
        run.begin()
        for worker in Stack.workers {
            try await world.kill("\(worker)-1")
            try await world.sleep(seconds: 0.5...2)
            try await world.scale(worker, World.workers)
        }
        run.end()
    }

    private static let killedIngress = Fault(
        name: "ingress-killed", summary: "kill -9 of one of two ingresses", targets: [.ingress],
        affected: Fault.allServices
    ) { world, run in
        run.begin()
        try await world.kill("ingress-1")
        try await world.sleep(seconds: 1...3)
        try await world.stack.scale("ingress", 1)
        run.end()
    }

    /// Stops one daemon of each kind under load. Others of its kind run, so no request may fail.
    private static let terminated = Fault(
        name: "daemon-terminated", summary: "SIGTERM to one daemon of each kind, while others run",
        targets: [.workers, .ingress], needs: [.broker, .postgres]
    ) { world, run in
        run.begin()
        try await world.adding(Stack.workers, run, with: { try world.stack.startCopy(of: "\($0)-1") }) {
            try await world.sleep(seconds: 1...2)
        }
        let usual = world.http.addresses
        let (ingress, address) = try await world.startIngress()
        world.http.addresses.append(address)
        try await world.sleep(seconds: 1...2)
        try await world.terminate([("ingress", ingress)], run)
        world.http.addresses = usual
        run.end()
    }
}
