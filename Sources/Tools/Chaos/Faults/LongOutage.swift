import Contracts
import FaultProxy
import Reactor

/// An outage that lasts longer than the retries of a command. Warren must wait for its end.
enum LongOutage {
    static let all = [anyServer]

    private static let anyServer = Fault(
        name: "long-outage",
        summary: "the broker, PostgreSQL, Redis or Cloudinary is away for 10 minutes (--outage-seconds)",
        targets: [.broker, .postgres, .redis, .mediaHost], affected: Fault.allServices, recovery: .seconds(35)
    ) { world, run in
        let proxies = [
            world.proxies.brokers, [world.proxies.postgres], [world.proxies.redis, world.proxies.limits],
            [world.proxies.cloudinary],
        ]
        // The retries of a command take about 6 minutes, so Warren would give up commands if it counted this failure.
        let chosen = proxies.randomElement(using: &world.generator) ?? []
        try await run.perform(refusing: chosen, for: run.longOutage)
    }
}
