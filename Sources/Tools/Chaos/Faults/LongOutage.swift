import Contracts
import FaultProxy
import Reactor

/// An outage that lasts longer than the retries of a command. Warren must wait for its end.
enum LongOutage {
    static let all = [anyServer]

    private static let anyServer = Fault(
        name: "long-outage",
        summary: "the broker, PostgreSQL, Redis or Cloudinary is away for 10 minutes (--outage-seconds)",
        targets: [.broker, .postgres, .redis, .mediaHost], affected: Fault.everything, recovery: .seconds(35)
    ) { world, run in
        let proxies = [
            [world.proxies.broker], [world.proxies.postgres], [world.proxies.redis, world.proxies.limits],
            [world.proxies.cloudinary],
        ]
        let chosen = proxies.randomElement(using: &world.generator) ?? []
        run.begin()
        for proxy in chosen { proxy.refuse() }
        try await Loop.sleep(for: run.longOutage)
        for proxy in chosen { proxy.resume() }
        run.end()
    }
}
