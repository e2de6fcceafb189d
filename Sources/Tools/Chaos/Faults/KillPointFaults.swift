import ChaosKit
import Contracts
import FaultProxy
import Glibc
import LocalStack
import Reactor

/// A post worker is killed at a certain step of a command. Two other post workers run, so every command must be carried
/// out within 5 s.
enum KillPointFaults {
    static let all = KillPoint.allCases.map(killed)

    /// How long a further post worker may need until it reaches the kill point.
    private static let limit: Duration = .seconds(20)
    /// The time within which another worker has the command.
    private static let takeover: Duration = .seconds(5)

    private static func killed(at point: KillPoint) -> Fault {
        let step = point.rawValue.replacing(",", with: "").replacing(" ", with: "-")
        return Fault(
            name: "killed-\(step)", summary: "kill -9 of a post worker at this step of a command: \(point.rawValue)",
            targets: [.workers], needs: [.broker, .postgres]
        ) { world, run in
            for _ in 0..<3 { try await Self.kill(at: point, world, run) }
        }
    }

    @Loop private static func kill(at point: KillPoint, _ world: World, _ run: FaultRun) async throws {
        let victim = Victim()
        let tap = try WireTap(
            point, of: "post.create", broker: world.addresses.brokers[0], database: world.addresses.postgres
        ) { victim.kill() }
        defer { tap.stop() }
        let worker = try world.stack.startCopy(
            of: "post-1",
            [
                "WARREN_AMQP_URL": try world.addressOf("post-amqp.url", port: tap.brokerPort),
                "WARREN_AMQP_URL_FILE": "",
                "WARREN_DATABASE_URL": try world.addressOf("post-database.url", port: tap.databasePort),
                "WARREN_DATABASE_URL_FILE": "",
            ])
        defer { worker.removeFiles() }
        victim.set(worker.pid)
        let deadline = ContinuousClock.now + limit
        while !tap.isReached, .now < deadline { try await Loop.sleep(for: .milliseconds(10)) }
        run.begin()
        let began = run.began
        run.require(tap.isReached, "the worker did not reach the step \(point.rawValue) within 20 s")
        victim.kill()
        let status = try await worker.waitForExit(within: .seconds(5))
        run.require(status == 128 + SIGKILL, "the worker ended with status \(status) before it was killed")
        // The other workers have the deliveries of the victim at once, because its connections are closed.
        while world.http.isWaiting(for: "POST /v1/posts", since: began), .now < began + takeover {
            try await Loop.sleep(for: .milliseconds(10))
        }
        run.end()
        run.require(
            !world.http.isWaiting(for: "POST /v1/posts", since: began), "a POST had no response after 5 s")
        let late = world.http.log.calls.filter {
            $0.call == "POST /v1/posts" && $0.ended > began && $0.began <= began && $0.status != 201
        }
        run.require(late.isEmpty, "\(late.count) POSTs got no 201 within 5 s: \(late.map { $0.status ?? 0 })")
    }
}
