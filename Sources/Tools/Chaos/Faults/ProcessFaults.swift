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
    ) { testbed, run in
        run.begin()
        for worker in Stack.workers {
            try await testbed.kill("\(worker)-1")
            try await testbed.sleep(seconds: 0.5...2)
            try await testbed.scale(worker, Testbed.workers)
        }
        run.end()
    }

    /// The surviving ingress must serve all requests. Only those that the killed one had are lost.
    private static let killedIngress = Fault(
        name: "ingress-killed", summary: "kill -9 of one of two ingresses", targets: [.ingress], needs: [.broker]
    ) { testbed, run in
        let address = testbed.addresses.http
        let refusals = testbed.http.refusals[address] ?? 0
        run.begin()
        run.killedIngress = address
        // With more load, the ingress certainly has open requests.
        testbed.clients.speed = 10
        try await Loop.sleep(for: .seconds(1))
        try await run.perform(
            cause: {
                defer { testbed.clients.speed = 1 }
                try await testbed.kill("ingress-1")
            },
            undo: { try await testbed.scale("ingress", 1) }, { try await testbed.sleep(seconds: 1...3) })
        run.require(testbed.http.refusals[address] ?? 0 > refusals, "no connection to the killed ingress was refused")
    }

    /// Stops one daemon of each kind under load. Others of its kind run, so no request may fail.
    private static let terminated = Fault(
        name: "daemon-terminated", summary: "SIGTERM to one daemon of each kind, while others run",
        targets: [.workers, .ingress], needs: [.broker, .postgres]
    ) { testbed, run in
        run.begin()
        try await testbed.adding(Stack.workers, run, with: { try testbed.startCopy(of: $0) }) {
            try await testbed.sleep(seconds: 1...2)
        }
        let usual = testbed.http.addresses
        let (ingress, address) = try await testbed.startIngress()
        testbed.http.addresses.append(address)
        try await testbed.sleep(seconds: 1...2)
        try await testbed.terminate([("ingress", ingress)], run)
        testbed.http.addresses = usual
        run.end()
    }
}
