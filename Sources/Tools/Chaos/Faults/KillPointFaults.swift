import ChaosKit
import Contracts
import FaultProxy
import Glibc
import LocalStack
import Reactor

/// A worker is killed at a certain step of a command. Two other workers of its service run, so every command must be
/// carried out within 5 s.
enum KillPointFaults {
    static let all = KillPoint.allCases.map(killed)

    /// A command, and the request that makes the ingress send it.
    private struct Command {
        let type: String
        let service: ServiceName
        let call: String
    }

    private static let commands = [
        Command(type: "post.create", service: .post, call: "POST /v1/posts"),
        Command(type: "post.delete", service: .post, call: "DELETE /v1/posts/…"),
        Command(type: "media.upload", service: .media, call: "POST /v1/media"),
    ]

    /// How long a further worker may need until it reaches the kill point.
    private static let limit: Duration = .seconds(20)
    /// The time within which another worker has the command.
    private static let takeover: Duration = .seconds(5)

    /// What a worker has done at a kill point, for the list of all faults.
    private static func state(at point: KillPoint) -> String {
        switch point {
        case .delivered: "has received a command"
        case .transactionOpen: "has executed a command and not committed it"
        case .committed: "has committed a command, before it knows that"
        case .eventPublished: "has published the event of a command, before it knows that"
        case .replied: "has replied to a command and not acknowledged it"
        }
    }

    private static func killed(at point: KillPoint) -> Fault {
        let step = point.rawValue.replacing(",", with: "").replacing(" ", with: "-")
        return Fault(
            name: "killed-\(step)",
            summary: "kill -9 of a worker that \(state(at: point)) (post.create, post.delete, media.upload)",
            targets: [.workers], needs: [.broker, .postgres, .mediaHost]
        ) { testbed, run in
            for command in commands { try await Self.kill(at: point, of: command, testbed, run) }
        }
    }

    @Loop private static func kill(
        at point: KillPoint, of command: Command, _ testbed: Testbed, _ run: FaultRun
    ) async throws {
        let deferredKill = DeferredKill()
        let tap = try WireTap(
            point, of: command.type, broker: testbed.addresses.brokers[0], database: testbed.addresses.postgres
        ) { deferredKill.kill() }
        defer { tap.stop() }
        let worker = try testbed.startCopy(
            of: command.service.rawValue,
            [
                "WARREN_AMQP_URL": try testbed.addressOf(
                    "\(command.service.rawValue)-amqp.url", port: tap.brokerPort),
                "WARREN_AMQP_URL_FILE": "",
                "WARREN_DATABASE_URL": try testbed.addressOf(
                    "\(command.service.rawValue)-database.url", port: tap.databasePort),
                "WARREN_DATABASE_URL_FILE": "",
            ])
        defer { worker.removeFiles() }
        deferredKill.set(worker.pid)
        let deadline = ContinuousClock.now + limit
        while !tap.isReached, .now < deadline { try await Loop.sleep(for: .milliseconds(10)) }
        run.begin()
        let began = run.began
        run.require(
            tap.isReached, "no worker reached the step \(point.rawValue) of \(command.type) within 20 s")
        deferredKill.kill()
        let status = try await worker.waitForExit(within: .seconds(5))
        run.require(status == 128 + SIGKILL, "the worker ended with status \(status) before it was killed")
        // The other workers have the deliveries of the killed worker at once, because its connections are closed.
        while testbed.http.isWaiting(for: command.call, since: began), .now < began + takeover {
            try await Loop.sleep(for: .milliseconds(10))
        }
        run.end()
        run.require(
            !testbed.http.isWaiting(for: command.call, since: began), "a \(command.call) had no response after 5 s")
        let late = testbed.http.log.calls.filter {
            $0.call == command.call && $0.ended > began && $0.began <= began && !$0.isServed
        }
        run.require(
            late.isEmpty,
            "\(late.count) \(command.call) were not carried out within 5 s: \(late.map { $0.status ?? 0 })")
    }
}
