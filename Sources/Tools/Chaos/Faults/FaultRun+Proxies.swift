import FaultProxy
import Reactor

extension FaultRun {
    /// Lets connections stay open, but carry nothing, as if the peer were gone (half-open TCP).
    func perform(stalling proxies: [FaultProxy], seconds: Int) async throws {
        try await perform(
            cause: { for proxy in proxies { proxy.stall() } }, undo: { for proxy in proxies { proxy.resume() } },
            { try await Loop.sleep(for: .seconds(seconds)) })
    }

    /// Closes all connections and refuses new ones, as if the server were down.
    func perform(refusing proxies: [FaultProxy], for duration: Duration) async throws {
        try await perform(
            cause: { for proxy in proxies { proxy.refuse() } }, undo: { for proxy in proxies { proxy.resume() } },
            { try await Loop.sleep(for: duration) })
    }
}
