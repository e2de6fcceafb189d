import FaultProxy
import Reactor

extension FaultRun {
    /// Lets connections stay open, but carry nothing, as if the peer were gone (half-open TCP).
    func perform(stalling proxies: [FaultProxy], seconds: Int) async throws {
        try await requiringDisturbances(of: proxies) {
            try await perform(
                cause: { for proxy in proxies { proxy.stall() } }, undo: { for proxy in proxies { proxy.resume() } },
                { try await Loop.sleep(for: .seconds(seconds)) })
        }
    }

    /// Closes all connections and refuses new ones, as if the server were down.
    func perform(
        refusing proxies: [FaultProxy], for duration: Duration, _ body: @Loop () async throws -> Void = {}
    ) async throws {
        try await requiringDisturbances(of: proxies) {
            try await perform(
                cause: { for proxy in proxies { proxy.refuse() } }, undo: { for proxy in proxies { proxy.resume() } },
                {
                    let end = ContinuousClock.now + duration
                    try await body()
                    try await Loop.sleep(for: end - .now)
                })
        }
    }

    /// Runs a body, and requires that each proxy has cut, refused or held back something meanwhile. Otherwise the
    /// daemons do not use it, and the fault had no effect.
    func requiringDisturbances(of proxies: [FaultProxy], _ body: @Loop () async throws -> Void) async throws {
        let before = proxies.map(\.disturbanceCount)
        try await body()
        for (proxy, before) in zip(proxies, before) {
            require(
                proxy.disturbanceCount > before,
                "\(fault.name) had no effect: no connection to the port \(proxy.target) was cut or held back")
        }
    }
}
